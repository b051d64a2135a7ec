"""The mutations of mutants.py: (name, the promises of which one must break, the
first seed that is known to break it or 0, [(file, exact old text, new text),
...])."""

MUTATIONS = [
    ("D counted from the reply", "LEASE", 7755, [
        ("cas.c", "lease_confirmed(c, now, p.t_s, &p.cas.rec);",
         "lease_confirmed(c, now, now->raw, &p.cas.rec);")]),
    ("D of (b) counted from the answer", "LEASE", 484, [
        ("lease.c", "lease_move(c, now, l->ask[i].sent, l->ask[i].ttl);",
         "lease_move(c, now, now->raw, l->ask[i].ttl);")]),
    ("W = T", "LEASE CLAIM OPEN", 2, [
        ("core.c", "return ttl * (1000000 + ppm) / (1000000 - ppm) + 1 + "
         "c->conf.slack;", "return ttl + 0 * ppm;")]),
    ("the candidate waits its own T", "LEASE CLAIM", 22, [
        ("claim.c", "return c->reg.first_seen + "
         "core_wait(c, core_rec(c)->ttl);",
         "return c->reg.first_seen + core_wait(c, c->conf.ttl);")]),
    ("an answer without epoch check", "ANSWER", 22, [
        ("promise.c", 'return "higher-epoch";', ";")]),
    ("an answer with a claim unresolved", "ANSWER", 708, [
        ("promise.c", 'return "claim-unresolved";', ";")]),
    ("a yes to a T that is not saved", "ANSWER", 1, [
        ("promise.c", 'return core_saved(c, c->t_max_version) ? NULL : '
         '"not-saved";', "return NULL;")]),
    ("a yes that is not remembered", "CLAIM OPEN LEASE", 3, [
        ("claim.c", "*when = c->promise.until;", "*when = 0;")]),
    ("no hold-off before a claim", "CLAIM", 1, [
        ("claim.c", "*when = c->no_claim_before;", "*when = 0;")]),
    ("no hold-off before opening", "OPEN", 1, [
        ("writers.c", "return BLOCK_HOLD_OFF;", ";")]),
    ("P without unknown CASes", "P", 2, [
        ("lease.c", "if (c->pending.on)\n"
         "\t\tp |= c->pending.cas.rec.candidates;", "")]),
    ("add sent before D is finite", "FINITE TTL", 2, [
        ("lease.c", "if (rec->state == REC_RELEASED || "
         "(rec->candidates == 0 && !shorter))\n\t\treturn true;",
         "return true;")]),
    ("lost by an unmoved revision", "ANSWER P STRICT LEASE", 3, [
        ("cas.c", "(v->revision <= p->cas.revision &&",
         "(v->revision < p->cas.revision &&")]),
    ("candidates left in the claim", "CLAIM", 2, [
        ("cas.c", "(rec.candidates | NODE_BIT(rec.holder)) & "
         "~NODE_BIT(c->conf.self);",
         "rec.candidates & ~NODE_BIT(c->conf.self);")]),
    ("a claim that is not on disk", "CLAIM", 2, [
        ("claim.c", "if (!c->dur.claim || c->pending.on || "
         "!core_saved(c, c->claim_version))",
         "if (!c->dur.claim || c->pending.on)")]),
    ("relax before the CAS", "STRICT", 7, [
        ("durability.c", "\t\trec.candidates &= ~lost;\n",
         "\t\trec.candidates &= ~lost;\n"
         "\t\tif (!c->sync.relaxing)\n\t\t\tdurability_names(c, 0);\n")]),
    ("relax on an unknown outcome", "STRICT P", 77, [
        ("durability.c",
         "\tkeep = c->conf.bounded ? 0 : lease_possible(c);\n",
         "\tkeep = c->pending.on ? c->pending.cas.rec.candidates :\n"
         "\t    lease_possible(c);\n"),
        ("durability.c", "\tif (lost != 0) {",
         "\tif (lost != 0 && !c->pending.on) {")]),
    ("add before it has flushed", "STRICT", 132, [
        ("add.c", "p->doubled ||\n\t    p->flush < "
         "c->sync.add_lsn)", "p->doubled)")]),
    ("add without seeing a commit wait", "STRICT", 25, [
        ("add.c", "if (goal_result(c, ACT_WAITING) != ANS_YES)\n"
         "\t\treturn;",
         "c->act[ACT_WAITING].lsn = c->pg.insert;")]),
    ("promotion after the lease", "S3", 1, [
        ("*.c", "REC_CLAIMED) && lease_ahead(c, now) &&",
         "REC_CLAIMED) &&")]),
    ("promotion with readers let in", "S3 S1", 2, [
        ("*.c", "return yes_if(c->fence.readers_until == 0);",
         "return ANS_YES;"),
        ("writers.c", "!plan_at_or_past(c, PLAN_TAKEOVER, \"readers\") &&",
         ""),
        # Who is marked lets none in either.
        ("writers.c", "c->dur.primary_epoch == 0 && c->pg.recovery",
         "c->pg.recovery")]),
    ("promotion without its names", "S3", 2, [
        ("*.c", "struct goal g = { .names = core_rec(c)->candidates };",
         "struct goal g = { .names = 0 };"),
        # Prepared while it followed: either of both rules is enough.
        ("role.c", "struct goal g = { .names = c->conf.data & "
         "~NODE_BIT(c->conf.self) };", "struct goal g = { .names = 0 };")]),
    ("an element that outlives D", "ELEMENT", 2, [
        ("writers.c", "writers_do(c, FENCE_OP_OPEN, c->lease.deadline);",
         "writers_do(c, FENCE_OP_OPEN, c->lease.deadline == USEC_NEVER ?\n"
         "\t\t    USEC_NEVER : c->lease.deadline + USEC_SEC);")]),
    ("a restart in place keeps candidates", "STRICT", 1093, [
        ("*.c", "return yes_if(lease_possible(c) == 0 && "
         "core_rec(c)->candidates == 0 &&\n"
         "\t\t      c->lease.confirmed);", "return ANS_YES;")]),
    ("a promise for its own T", "CLAIM OPEN LEASE", 30, [
        ("promise.c", "\tif (c->promise.until < now->raw + "
         "core_wait(c, ask->ttl))\n\t\tc->promise.until = now->raw + "
         "core_wait(c, ask->ttl);",
         "\tc->promise.until = now->raw + core_wait(c, c->conf.ttl);")]),
    ("lost by an unknown outcome", "ANSWER P STRICT", 132, [
        ("cas.c", "revision, instance);\n\t\treturn;\n\t}\n"
         "\tc->read_wanted = true;", "revision, instance);\n"
         "\t\treturn;\n\t}\n\tif (result == CAS_UNKNOWN)\n"
         "\t\tcas_end(c);\n\tc->read_wanted = true;")]),
    ("open in claimed", "OPEN", 1, [
        ("writers.c", "if (core_rel(c) != REL_HELD)\n"
         "\t\treturn BLOCK_NOT_HOLDER;\n\tif (c->conf.pair", "if (c->conf.pair"),
        ("writers.c", "if (claim_wal(c) != BLOCK_NONE)", "if (0)"),
        ("role.c", "if (core_rel(c) != REL_HELD || "
         "core_pgs(c) != PGS_PRIMARY)\n\t\treturn false;\n"
         "\tswitch (c->plan.id) {",
         "if (core_rel(c) == REL_CLAIMED && core_pgs(c) == PGS_PRIMARY)\n"
         "\t\treturn true;\n"
         "\tif (core_rel(c) != REL_HELD || core_pgs(c) != PGS_PRIMARY)\n"
         "\t\treturn false;\n\tswitch (c->plan.id) {")]),
    ("an expired holder re-seeds", "LEASE S1 S2 S3 STRICT P", 1647, [
        ("lease.c", "if (!r->cold || c->lease.lapsed || "
         "!c->lease.confirmed ||", "if (!r->cold || !c->lease.confirmed ||"),
        ("lease.c", "(lease_possible(c) & ~r->reported) != 0)", "false)"),
        ("arbiter.c", "(cas->rec.candidates & ~v->reported) != 0)",
         "false)")]),
    ("answers from before D ended", "LEASE S1 S2 S6", 1069, [
        ("lease.c", "if (sent == 0 || sent < l->void_before)",
         "if (sent == 0)")]),
    ("no L4: a stalled primary renews", "L4", 14, [
        ("lease.c", "\t\treturn BLOCK_PROBE;\n", "\t\t;\n")]),
    ("release before all has ended", "S3", 21, [
        ("*.c", "return goal_result(c, ACT_STOP);",
         "return c->plan.acted ? ANS_YES : ANS_UNKNOWN;")]),
    ("no proof is written", "S3", 1, [
        ("claim.c", "\tclaim_proof(c);\n", ""),
        ("*.c", "if (c->dur.proof_epoch != core_rec(c)->epoch)",
         "if (0)"),
        ("ask.c", " &&\n\t       c->dur.proof_epoch == core_rec(c)->epoch;",
         ";")]),
    ("the fence stays open after D", "S6 OPEN", 26, [
        ("writers.c", "if (!writers_keep(c, now))", "if (0)")]),
    ("promotion without waiting for pullers", "SITE", 3, [
        ("ask.c", "return goal_result(c, ACT_PULLERS);",
         "return c->plan.acted ? ANS_YES : ANS_UNKNOWN;")]),
    ("a role by a claimed record", "SITE", 2, [
        ("site.c", "rec->state != REC_HELD", "rec->state == REC_NONE")]),
    ("traffic past the lease", "SITE", 2, [
        ("site.c", "c->fence.writers == WRITERS_OPEN &&\n"
         "\t       lease_ahead(c, now);",
         "c->fence.writers == WRITERS_OPEN;")]),
    ("a role reached before it is done", "SITE", 1, [
        ("site.c", "\tgoal_ask(c, ACT_CONVERGE, &g);\n",
         "\tgoal_ask(c, ACT_CONVERGE, &g);\n\tsite_reached(c, epoch);\n")]),
    ("one silence drains for ever", "LIVE", 8, [
        ("site.c", "s->primary == primary &&\n\t    s->out == out && ",
         "s->primary == primary && ")]),
    ("an answer as holder", "HOLDER", 50, [
        # An answer to a lower epoch would go before it.
        ("promise.c", 'return "higher-epoch";', ";"),
        ("promise.c", 'return "is-holder";', ";")]),
    ("the timer keyed by revision only", "CLAIM LEASE", 3405, [
        ("watch.c", "a->revision == b->revision &&\n"
         "\t       strcmp(a->instance, b->instance) == 0 &&\n"
         "\t       strcmp(a->rec.nonce, b->rec.nonce) == 0;",
         "a->revision == b->revision;"),
        # A report starts every wait again, which covers the rest.
        ("watch.c", "\t\twatch_restart(c, now);\n\t\tr->report_version",
         "\t\tr->report_version")]),
    ("no claim journal, no open hold-off", "S1 S2 LEASE OPEN CLAIM", 1, [
        ("claim.c", "if (!c->dur.claim || c->pending.on || "
         "!core_saved(c, c->claim_version))",
         "if (!c->dur.claim || c->pending.on)"),
        ("writers.c", "return BLOCK_HOLD_OFF;", ";")]),
    ("renewal by flush and add", "S1 S6 LEASE", 2703, [
        ("sim/fence.c", "op == FENCE_OP_RENEW && !fence_element(w, n)",
         "false"),
        # The wall clock's limit and the look after the call cover it.
        ("sim/fence.c", "f->limit_wall = wall + deadline - raw;",
         "f->limit_wall = USEC_NEVER;"),
        ("sim/fence.c", "clk_raw(w, n) >= deadline", "false")]),
    ("a fence of the input only", "S1", 61, [
        ("sim/wal.c", "!w->host[n].up ||\n\t    !fence_passes(w, n))",
         "!w->host[n].up)")]),
    ("release before the postmaster's children end", "S3", 47, [
        ("*.c", "return goal_result(c, ACT_STOP);",
         "return c->gone_at != 0 ? ANS_YES : goal_result(c, ACT_STOP);")]),
    ("ANY standby instead of all", "STRICT S2", 6, [
        ("sim/wal.c", "return conn_lets_go(w, n, have);",
         "return have != 0;")]),
    ("waiting for another proves it", "STRICT WAITING", 174, [
        ("add.c", ".names = c->sync.add_names | c->sync.named };",
         ".names = NODE_BIT(c->sync.adding) };")]),
    ("walsenders that were named before", "STRICT WAITING", 3963, [
        ("add.c", ".names = c->sync.add_names | c->sync.named };",
         ".names = c->sync.add_names };")]),
    ("a name dropped while its node is in P", "STRICT", 6, [
        ("add.c", "g.names = lease_possible(c) | NODE_BIT(n);",
         "g.names = NODE_BIT(n);")]),
    ("the position of the furthest", "FLOOR", 2, [
        ("durability.c", "c->pg.sender[n].flush < lsn)",
         "c->pg.sender[n].flush > lsn)")]),
    ("a position within a record", "FLOOR", 2, [
        ("durability.c", "lsn = lsn < c->sync.end ? 0 : c->sync.end;", ";")]),
    ("the record's position is no floor", "S2 STRICT", 190, [
        ("claim.c", "return end >= claim_floor(c);",
         "return end + 0 * claim_floor(c) > 0;")]),
    ("a holder grows past the record's position", "S2 BOUND", 29, [
        ("latch.c", "c->pg.system_id == rec->system_id && "
         "c->end_first < had;", "false;")]),
    ("bounded: what was told is not saved", "BOUND TOLD", 3, [
        ("promise.c", "return core_saved(c, q->version);",
         "return true;")]),
    ("bounded: no position in the question", "BOUND TOLD", 3, [
        ("lease.c", "if (a->ask.bounded && a->ask.lsn < c->pg.wal_end)",
         "if (0)")]),
    ("bounded: a claim past max_loss", "BOUND", 989, [
        ("claim.c", "end += c->conf.max_loss;",
         "end += c->conf.max_loss + 65536;")]),
    ("bounded: D counted from now", "TOLD", 3, [
        ("durability.c", "c->pg.seen_at < now->raw ?", "0 ?")]),
    ("following a claimed record", "SITE", 9, [
        ("follow.c", "follow_whom(const struct core *c)\n{\n"
         "\tnode_t n = site_primary(c);",
         "follow_whom(const struct core *c)\n{\n"
         "\tnode_t n = core_rec(c)->holder;")]),
    ("no standby follows the new primary", "LIVE", 9, [
        ("follow.c", "core_pgs(c) != PGS_STANDBY || n == NODE_NONE ||",
         "true ||")]),
    ("giving way for ever", "RANK", 131, [
        ("rank.c", "if (now->raw >= r->until)\n\t\treturn BLOCK_NONE;",
         "if (r->first == NODE_NONE)\n\t\treturn BLOCK_NONE;")]),
    ("closing waits for the disk", "S6 ELEMENT OPEN", 70, [
        ("writers.c", "if (!writers_keep(c, now)) {",
         "if (!writers_keep(c, now) && core_saved(c, c->version)) {")]),
    ("abdication is told before it is saved", "STRICT P", 24, [
        ("promise.c", "if (!core_saved(c, c->abdicated_version))",
         "if (0)")]),
    ("a register that was put back starts warm", "S1 S2 LEASE STRICT P", 21, [
        ("arbiter.c", "o->same_file && ", "")]),
    ("a register that forgot is believed", "FORGETS", 785, [
        ("watch.c", "\tif (d->instance[0] == '\\0')\n\t\treturn false;",
         "\treturn false;")]),
    ("a lower header revision is believed", "S3 LEASE S1 S2 STRICT P CLAIM", 39, [
        ("watch.c", "\twatch_restart(c, now);\n\td->back = true;",
         "\treturn false;\n\td->back = true;")]),
    ("a register that counts on is believed again", "S3 LEASE S1 S2 STRICT P",
     65, [
        ("watch.c", "\tif (d->back)\n\t\treturn true;\n", "")]),
    ("a write behind a silence", "S3 LEASE S1 S2 STRICT P", 67, [
        ("cas.c", "if (c->reg.value.head == 0 ||",
         "if (true || c->reg.value.head == 0 ||"),
        ("claim.c", "return c->reg.value.head == 0 ||",
         "return true || c->reg.value.head == 0 ||")]),
    ("a silent register is read without end", "COST", 6143, [
        ("cas.c", "if (now->raw - p->asked_at >= cas_resend_after(c)) {",
         "if (true) {")]),
    ("opening without being armed", "OPEN", 27, [
        ("writers.c", "\t\treturn BLOCK_NOT_ARMED;", "\t\t;")]),
    ("the readers' element is forgotten", "S3", 339, [
        ("writers.c", "else if (life > 0 && f->readers_until < "
         "now->raw + life)", "else if (0)")]),
    ("a person's order outlives its record", "LEASE", 3596, [
        ("orders.c", "if (!same || rec->epoch != o->epoch || "
         "rec->holder != o->holder)", "if (now->raw > o->until)"),
        ("orders.c", "else if (o->fenced && strcmp(o->nonce, rec->nonce) "
         "!= 0)", "else if (0)")]),
    ("released before the target has all", "HANDED", 275, [
        ("handover.c", "h->wal_end >= h->end &&", "c->pg.seen_at > 0 &&")]),
    ("taken back after the release", "HANDED S1 S2 LEASE STRICT", 1093, [
        ("plan.c", "deed_hand, NULL, 10 * SEC, LATE_AGAIN",
         "deed_hand, NULL, 300 * MSEC, LATE_BACK"),
        # A restart in place waits for the release's outcome, and takes the
        # note back.
        ("*.c", "return yes_if(lease_possible(c) == 0 && "
         "core_rec(c)->candidates == 0 &&\n\t\t      c->lease.confirmed);",
         "return ANS_YES;"),
        ("deed.c", "c->dur.handed_epoch = 0;", ";")]),
    ("a start as primary keeps the note", "HANDED", 39477, [
        ("deed.c", "c->dur.handed_epoch = 0;", ";"),
        # That it is seen as one covers it, if it is seen in time.
        ("latch.c", "if (c->dur.handed_epoch != 0 && "
         "core_pgs(c) == PGS_PRIMARY)", "if (0)")]),
    ("what was had at the release is forgotten", "S2 STRICT BOUND", 5075, [
        ("deed.c", "c->dur.told = c->position;", ";"),
        ("latch.c", "c->dur.told = c->position;", ";")]),
    ("a stop for a handover that is not on disk", "SITE", 2, [
        ("handover.c", "if (!core_saved(c, c->quiet_version))", "if (0)")]),
    ("what stopped for a handover is left so", "LIVE", 63, [
        ("site.c", "c->dur.quiet_epoch != epoch", "1")]),
    ("who is alone drains itself", "SITE", 80, [
        ("site.c", "if (hand_drains(c) && site_others(c, *out) != 0)",
         "if (hand_drains(c))")]),
    ("where the data ended is looked at late", "S2", 15300, [
        ("core.c", "if (c->end_first == 0)\n\t\t\t"
         "c->end_first = view->wal_end;", "c->end_first = view->wal_end;")]),
    ("a pause is written before nobody is listed", "PAUSE", 9655, [
        ("pause.c", "if (p->on && (p->until == 0 || rec->candidates == 0))",
         "if (p->on)")]),
    ("resume without re-checking", "STRICT S2 P", 16, [
        ("pause.c", "\trec->paused_until = 0;\n",
         "\tif (rec->paused_until != 0)\n"
         "\t\trec->candidates = c->conf.data & ~NODE_BIT(c->conf.self);\n"
         "\trec->paused_until = 0;\n")]),
    ("a pause keeps its candidates", "PAUSE", 186, [
        ("durability.c", "c->conf.mode != CORE_AUTO || pause_on(c, now) ||",
         "c->conf.mode != CORE_AUTO ||")]),
    ("a pause outlives its time", "LIVE", 16, [
        ("pause.c", "\tif (rec->paused_until > now->wall)\n\t\treturn;\n"
         "\trec->paused_until = 0;", "\tif (rec->paused_until > 0)\n"
         "\t\treturn;\n\trec->paused_until = 0;"),
        ("pause.c", "return until > now->wall;", "return until > 0;")]),
    ("unfenced without a look who took over", "LIVE HANDED S2 STRICT", 1637, [
        ("orders.c", "if (c->dur.fenced && latch_diverged(c))\n\t\treturn "
         "\"another", "if (0)\n\t\treturn \"another"),
        ("orders.c", "if (!c->dur.fenced) {", "if (1) {")]),
    ("a fenced node starts again", "LIVE", 14, [
        ("role.c", "if (c->dur.latch && role_unsafe(c))",
         "if (c->dur.latch && !c->dur.fenced && role_unsafe(c))"),
        ("role.c", "if (c->dur.latch)\n\t\treturn role_may_rejoin",
         "if (c->dur.latch && !c->dur.fenced)\n"
         "\t\treturn role_may_rejoin")]),
    ("an order is taken by who does not hold", "ORDER", 7, [
        ("handover.c", "if (core_rel(c) != REL_HELD || "
         "core_pgs(c) != PGS_PRIMARY)", "if (0)"),
        ("pause.c", "hactl status\";\n\tif (core_rel(c) != REL_HELD)",
         "hactl status\";\n\tif (0)")]),
    ("rejoin over the only copy", "COPY", 26, [
        ("rejoin*.c", "return goal_result(c, ACT_SAVE);", "return ANS_YES;")]),
    ("rewritten before its disk says so", "COPY", 14, [
        ("rejoin*.c", "rejoin_is(c, REJOIN_HALF);", "ANS_YES;")]),
    ("half rewritten, from another now", "COPY", 57, [
        ("rejoin*.c", "c->rejoin.halves >= HALVES_MAX || rejoin_others(c));",
         "false);")]),
    ("half rewritten, and started", "COPY", 174, [
        ("rejoin*.c", "return c->dur.rejoin == REJOIN_HALF;",
         "return false;"),
        ("rejoin*.c", "return goal_result(\n\t    c, c->rejoin.fork == FORK_CLONE ? ACT_CLONE : "
         "ACT_REWIND);",
         "return c->act[ACT_REWIND].running && c->ids % 8 == 0 ? ANS_YES :\n"
         "\t    goal_result(c, ACT_REWIND);")]),
    ("rejoin of what was promoted as of a plain standby", "LIVE", 128, [
        ("latch.c", "core_pgs(c) == PGS_STANDBY && c->dur.primary_epoch == 0;",
         "true;"),
        ("rejoin.c", "if (!c->dur.follower)", "if (c->dur.follower)")]),
    ("nobody rejoins by itself", "LIVE", 26, [
        ("rejoin*.c", "return c->conf.mode == CORE_AUTO &&", "return false &&")]),
    ("an agent's off believed without status", "CLAIM S1 LEASE", 32, [
        ("shoot.c", "s->asked = true;", "s->off = true;")]),
    ("shot by who is no candidate", "SHOOT", 32, [
        ("shoot.c", "return claim_check_if(c, now, true, &when) == "
         "BLOCK_NONE &&\n\t       shoot_silent(c, now);",
         "(void)when;\n\treturn shoot_silent(c, now);"),
        ("shoot.c", " ||\n\t\t\t    claim_check_if(c, now, true, &when) "
         "!= BLOCK_NONE))", "))")]),
    ("a host that was off once is off for ever", "CLAIM LEASE S1", 216, [
        ("shoot.c", "watch_same(&c->reg.value, &s->of) &&\n\t       "
         "shoot_heard(c, s->of.rec.holder) < s->at;",
         "c->reg.value.rec.holder == s->of.rec.holder;")]),
    ("shot although it was heard", "SHOOT", 24, [
        ("shoot.c", "now->raw - shoot_heard(c, core_rec(c)->holder) < after "
         "||\n\t    ", "")]),
    ("the lease taken where the policy does not", "CLAIM", 32, [
        ("claim.c", "if (!c->conf.proof_lease)\n\t\t\treturn "
         "BLOCK_NO_PROOF;", "")]),
    ("added although its configuration differs", "CONFIG", 3, [
        ("site.c", "if (site_differs(c, n))\n\t\twhy", "if (0)\n\t\twhy")]),
    ("added although its mode is not auto", "CONFIG", 10, [
        ("site.c", "c->site.report[n].automatic == ANS_NO", "0")]),
    ("a pause that its register does not take", "PAUSE", 18, [
        ("pause.c", "if (c->reg.value.older)", "if (0)")]),
    ("who does not say its mode is no candidate", "LIVE", 4, [
        ("site.c", "report[n].automatic == ANS_NO",
         "report[n].automatic != ANS_YES")]),
    ("who is stuck stays", "LIVE", 569, [
        ("yield.c", "|| yield_stuck(c, now)", "")]),
    ("a primary's data that was marked again is forgotten", "HANDED", 805, [
        ("deed.c", "c->plan.marked = c->dur.primary_epoch == 0;",
         "c->plan.marked = true;")]),
    ("alone without a proof", "ALONE", 2, [
        ("alone.c", "return alone_stands(c) ? NODE_BIT(alone_other(c)) : 0;",
         "return c->conf.pair ? NODE_BIT(alone_other(c)) : 0;")]),
    ("alone after the other was heard", "ALONE", 24, [
        ("alone.c", "shoot_heard(c, alone_other(c)) < c->alone.at;",
         "true;")]),
    ("alone by agents after a start", "S2 STRICT", 1894, [
        ("alone.c", "return c->reg.met;", "return true;")]),
    ("a write of one copy is confirmed", "PAIR", 2, [
        ("pair.c", "next->sure = by.alone || !c->first;\n\t*changed",
         "next->sure = true;\n\t*changed")]),
    ("its own write in one copy is won", "OPEN LEASE S1 S2 STRICT P", 110, [
        ("cas.c", "if (v->half)\n\t\t\treturn;", ""),
        ("watch.c", "if (watch_half(c, v))\n\t\treturn;", "")]),
    ("the older copy takes the place of the newer", "FORGETS S2 STRICT LIVE "
     "LEASE P PAIR S1", 24, [
         ("pair.c", "if (nothing || pair_newer(other, v) ||",
          "if (nothing || pair_newer(v, other) ||")]),
    ("a lost copy becomes one of before", "S2 STRICT LEASE S1", 1924, [
        ("pair.c", "if (nothing && pair_below(c, other))", "if (0)")]),
]
