# shellcheck shell=bash
# Shell functions that the scripts share. Source it from the tree's top.

# Asked for help, a script says what stands at its head, and does nothing.
case ${1:-} in
-h | --help)
	sed -n '2,/^[^#]/s/^# \{0,1\}//p' "scripts/${0##*/}"
	exit 0
	;;
esac

# Tests that passed and failed so far, over all steps.
passed=0
failed=0

say() {
	printf '\n==> %s\n' "$*"
}

# meson and ninja in a directory of their own: build_in DIR [OPTION...]. Where
# targets is set, only those.
build_in() {
	local dir=$1
	shift
	if [ ! -f "$dir/build.ninja" ]; then
		meson setup "$dir" "$@" >"$dir.setup.log" 2>&1 || {
			cat "$dir.setup.log"
			return 1
		}
		rm -f "$dir.setup.log"
	fi
	# shellcheck disable=SC2086
	ninja -C "$dir" --quiet ${targets:-}
}

# One step that passes or fails as a whole: step NAME COMMAND...
step() {
	local name=$1 start=$SECONDS
	shift
	say "$name"
	if "$@"; then
		passed=$((passed + 1))
		printf '    ok, %d s\n' $((SECONDS - start))
	else
		failed=$((failed + 1))
		printf '    FAILED: %s, %d s\n' "$name" $((SECONDS - start))
	fi
}

# Meson tests of a build directory, each counted: step_meson NAME DIR [ARG...]
# More at a time than processors: most of them wait for a server or a clock.
# Whoever is killed leaves its shared memory: it ends with the namespaces.
step_meson() {
	local name=$1 dir=$2 log=$2/meson-logs/testlog.json ok bad
	say "$name"
	shift 2
	rm -f "$log"
	# shellcheck disable=SC2016
	unshare --ipc --mount sh -c '
		mount -t tmpfs tmpfs /dev/shm && exec meson "$@"' meson \
		test -C "$dir" --no-rebuild --print-errorlogs \
		--num-processes $(($(nproc) + 2)) "$@" || true
	ok=$(grep -c '"result": "\(OK\|EXPECTEDFAIL\)"' "$log") || true
	bad=$(grep -c '"result": "\(FAIL\|TIMEOUT\|ERROR\|UNEXPECTEDPASS\)"' \
		"$log") || true
	count "$name" "${ok:-0}" "${bad:-0}"
}

# All pytest tests of a directory, each counted.
step_pytest() {
	local name=$1 out tail ok bad err
	shift
	say "$name"
	out=$(mktemp)
	/usr/bin/python3 -B -m pytest -p no:cacheprovider -v --tb=short \
		--durations=5 "$@" 2>&1 | tee "$out" || true
	tail=$(tail -n 1 "$out")
	rm -f "$out"
	ok=$(grep -o '[0-9]* passed' <<<"$tail" | cut -d' ' -f1) || true
	bad=$(grep -o '[0-9]* failed' <<<"$tail" | cut -d' ' -f1) || true
	err=$(grep -o '[0-9]* error' <<<"$tail" | cut -d' ' -f1) || true
	count "$name" "${ok:-0}" "$((${bad:-0} + ${err:-0}))"
}

# Steps that only compute run while others wait for clocks and servers, and
# only when nobody else wants a processor: beside NAME COMMAND..., and later
# beside_end, which waits, prints and counts. Their last line says how many
# passed.
beside_names=()
beside_pids=()
beside_logs=()
beside() {
	local log
	log=$(mktemp)
	beside_names+=("$1")
	beside_logs+=("$log")
	shift
	nice -n 19 chrt --idle 0 "$@" >"$log" 2>&1 </dev/null &
	beside_pids+=($!)
}

beside_end() {
	local i tail
	for i in "${!beside_pids[@]}"; do
		wait "${beside_pids[i]}" || true
		say "${beside_names[i]}"
		cat "${beside_logs[i]}"
		tail=$(tail -n 1 "${beside_logs[i]}")
		rm -f "${beside_logs[i]}"
		if [[ $tail =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
			count "${beside_names[i]}" "${BASH_REMATCH[1]}" \
				"${BASH_REMATCH[2]}"
		else
			count "${beside_names[i]}" 0 1
		fi
	done
}

# A step that ran nothing at all has failed.
count() {
	passed=$((passed + $2))
	failed=$((failed + $3))
	if [ "$2" -eq 0 ] && [ "$3" -eq 0 ]; then
		failed=$((failed + 1))
		printf '    FAILED: %s ran no test\n' "$1"
	fi
}
