"""The mutations of mutants.py: (name, the promises of which one must break,
[(file, exact old text, new text), ...])."""

MUTATIONS = [
    ("D counted from the reply", "LEASE", [
        ("cas.c", "lease_confirmed(c, now, p.t_s, &p.cas.rec);",
         "lease_confirmed(c, now, now->raw, &p.cas.rec);")]),
    ("D of (b) counted from the answer", "LEASE", [
        ("lease.c", "lease_move(c, now, l->ask[i].sent, l->ask[i].ttl);",
         "lease_move(c, now, now->raw, l->ask[i].ttl);")]),
    ("W = T", "LEASE CLAIM OPEN", [
        ("core.c", "return ttl * (1000000 + ppm) / (1000000 - ppm) + 1 + "
         "c->conf.slack;", "return ttl + 0 * ppm;")]),
    ("the candidate waits its own T", "LEASE", [
        ("claim.c", "return c->reg.first_seen + "
         "core_wait(c, core_rec(c)->ttl);",
         "return c->reg.first_seen + core_wait(c, c->conf.ttl);")]),
    ("an answer without epoch check", "ANSWER", [
        ("promise.c", 'return "higher-epoch";', ";")]),
    ("an answer with a claim unresolved", "ANSWER", [
        ("promise.c", 'return "claim-unresolved";', ";")]),
    ("a yes to a T that is not saved", "ANSWER", [
        ("promise.c", 'return core_saved(c, c->t_max_version) ? NULL : '
         '"not-saved";', "return NULL;")]),
    ("a yes that is not remembered", "CLAIM OPEN LEASE", [
        ("claim.c", "*when = c->promise.until;", "*when = 0;")]),
    ("no hold-off before a claim", "CLAIM", [
        ("claim.c", "*when = c->no_claim_before;", "*when = 0;")]),
    ("no hold-off before opening", "OPEN", [
        ("writers.c", "return BLOCK_HOLD_OFF;", ";")]),
    ("P without unknown CASes", "P", [
        ("lease.c", "if (c->pending.on)\n"
         "\t\tp |= c->pending.cas.rec.candidates;", "")]),
    ("add sent before D is finite", "FINITE TTL", [
        ("lease.c", "if (rec->state == REC_RELEASED || "
         "(rec->candidates == 0 && !shorter))\n\t\treturn true;",
         "return true;")]),
    ("lost by an unmoved revision", "ANSWER P STRICT LEASE", [
        ("cas.c", "(v->revision <= p->cas.revision &&",
         "(v->revision < p->cas.revision &&")]),
    ("candidates left in the claim", "CLAIM", [
        ("cas.c", "(rec.candidates | NODE_BIT(rec.holder)) & "
         "~NODE_BIT(c->conf.self);",
         "rec.candidates & ~NODE_BIT(c->conf.self);")]),
    ("a claim that is not on disk", "CLAIM", [
        ("claim.c", "if (!c->dur.claim || c->pending.on || "
         "!core_saved(c, c->claim_version))",
         "if (!c->dur.claim || c->pending.on)")]),
    ("relax before the CAS", "STRICT", [
        ("durability.c", "\t\trec.candidates &= ~lost;\n",
         "\t\trec.candidates &= ~lost;\n"
         "\t\tif (!c->sync.relaxing)\n\t\t\tdurability_names(c, 0);\n")]),
    ("relax on an unknown outcome", "STRICT P", [
        ("durability.c",
         "\tkeep = c->conf.bounded ? 0 : lease_possible(c);\n",
         "\tkeep = c->pending.on ? c->pending.cas.rec.candidates :\n"
         "\t    lease_possible(c);\n"),
        ("durability.c", "\tif (lost != 0) {",
         "\tif (lost != 0 && !c->pending.on) {")]),
    ("add before it has flushed", "STRICT", [
        ("add.c", "p->doubled ||\n\t    p->flush < "
         "c->sync.add_lsn)", "p->doubled)")]),
    ("add without seeing a commit wait", "STRICT", [
        ("add.c", "if (goal_result(c, ACT_WAITING) != ANS_YES)\n"
         "\t\treturn;",
         "c->act[ACT_WAITING].lsn = c->pg.insert;")]),
    ("promotion after the lease", "S3", [
        ("*.c", "REC_CLAIMED) && lease_ahead(c, now);",
         "REC_CLAIMED);")]),
    ("promotion with readers let in", "S3 S1", [
        ("*.c", "return yes_if(c->fence.readers_until == 0);",
         "return ANS_YES;"),
        ("writers.c", "!plan_at_or_past(c, PLAN_TAKEOVER, \"readers\") &&",
         ""),
        # Who is marked lets none in either.
        ("writers.c", "c->dur.primary_epoch == 0 && c->pg.recovery",
         "c->pg.recovery")]),
    ("promotion without its names", "S3", [
        ("*.c", "struct goal g = { .names = core_rec(c)->candidates };",
         "struct goal g = { .names = 0 };"),
        # Prepared while it followed: either of both rules is enough.
        ("role.c", "struct goal g = { .names = c->conf.data & "
         "~NODE_BIT(c->conf.self) };", "struct goal g = { .names = 0 };")]),
    ("an element that outlives D", "ELEMENT", [
        ("writers.c", "writers_do(c, FENCE_OP_OPEN, c->lease.deadline);",
         "writers_do(c, FENCE_OP_OPEN, c->lease.deadline == USEC_NEVER ?\n"
         "\t\t    USEC_NEVER : c->lease.deadline + USEC_SEC);")]),
    ("a restart in place keeps candidates", "STRICT", [
        ("*.c", "return yes_if(lease_possible(c) == 0 && "
         "core_rec(c)->candidates == 0 &&\n"
         "\t\t      c->lease.confirmed);", "return ANS_YES;")]),
    ("a promise for its own T", "CLAIM OPEN LEASE", [
        ("promise.c", "\tif (c->promise.until < now->raw + "
         "core_wait(c, ask->ttl))\n\t\tc->promise.until = now->raw + "
         "core_wait(c, ask->ttl);",
         "\tc->promise.until = now->raw + core_wait(c, c->conf.ttl);")]),
    ("lost by an unknown outcome", "ANSWER P STRICT", [
        ("cas.c", "revision, instance);\n\t\treturn;\n\t}\n"
         "\tc->read_wanted = true;", "revision, instance);\n"
         "\t\treturn;\n\t}\n\tif (result == CAS_UNKNOWN)\n"
         "\t\tcas_end(c);\n\tc->read_wanted = true;")]),
    ("open in claimed", "OPEN", [
        ("writers.c", "if (core_rel(c) != REL_HELD)\n"
         "\t\treturn BLOCK_NOT_HOLDER;\n\tif (!c->lease.confirmed)",
         "if (!c->lease.confirmed)"),
        ("writers.c", "if (claim_wal(c) != BLOCK_NONE)", "if (0)"),
        ("role.c", "if (core_rel(c) != REL_HELD || "
         "core_pgs(c) != PGS_PRIMARY)\n\t\treturn false;\n"
         "\tswitch (c->plan.id) {",
         "if (core_rel(c) == REL_CLAIMED && core_pgs(c) == PGS_PRIMARY)\n"
         "\t\treturn true;\n"
         "\tif (core_rel(c) != REL_HELD || core_pgs(c) != PGS_PRIMARY)\n"
         "\t\treturn false;\n\tswitch (c->plan.id) {")]),
    ("an expired holder re-seeds", "LEASE S1 S2 S3 STRICT P", [
        ("lease.c", "if (!r->cold || c->lease.lapsed || "
         "!c->lease.confirmed ||", "if (!r->cold || !c->lease.confirmed ||"),
        ("lease.c", "(lease_possible(c) & ~r->reported) != 0)", "false)"),
        ("arbiter.c", "(cas->rec.candidates & ~v->reported) != 0)",
         "false)")]),
    ("answers from before D ended", "LEASE S1 S2 S6", [
        ("lease.c", "if (sent == 0 || sent < l->void_before)",
         "if (sent == 0)")]),
    ("no L4: a stalled primary renews", "L4", [
        ("lease.c", "\t\treturn BLOCK_PROBE;\n", "\t\t;\n")]),
    ("release before all has ended", "S3", [
        ("*.c", "return goal_result(c, ACT_STOP);",
         "return c->plan.acted ? ANS_YES : ANS_UNKNOWN;")]),
    ("no proof is written", "S3", [
        ("claim.c", "\tclaim_proof(c);\n", ""),
        ("*.c", "if (c->dur.proof_epoch != core_rec(c)->epoch)",
         "if (0)")]),
    ("the fence stays open after D", "S6 OPEN", [
        ("writers.c", "if (!writers_keep(c, now))", "if (0)")]),
    ("promotion without waiting for pullers", "SITE", [
        ("ask.c", "return goal_result(c, ACT_PULLERS);",
         "return c->plan.acted ? ANS_YES : ANS_UNKNOWN;")]),
    ("a role by a claimed record", "SITE", [
        ("site.c", "rec->state != REC_HELD", "rec->state == REC_NONE")]),
    ("traffic past the lease", "SITE", [
        ("site.c", "c->fence.writers == WRITERS_OPEN &&\n"
         "\t       lease_ahead(c, now);",
         "c->fence.writers == WRITERS_OPEN;")]),
    ("a role reached before it is done", "SITE", [
        ("site.c", "\tgoal_ask(c, ACT_CONVERGE, &g);\n",
         "\tgoal_ask(c, ACT_CONVERGE, &g);\n\tsite_reached(c, epoch);\n")]),
    ("one silence drains for ever", "LIVE", [
        ("site.c", "s->primary == primary &&\n\t    s->out == out)",
         "s->primary == primary)")]),
]
