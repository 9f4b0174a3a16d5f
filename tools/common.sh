# Sourced by the other tools: which PostgreSQL, and where the private one lives.
umask 022
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() { say "spm: $*"; exit 1; }

# The major version asked for, else the one that is complete, else the one that can be installed.
choose_major() {
	local m
	if [ -n "${PG_MAJOR:-}" ]; then echo "$PG_MAJOR"; return; fi
	for m in 15 16 17 18; do
		[ -x "/usr/lib/postgresql/$m/bin/postgres" ] && [ -f "/usr/lib/postgresql/$m/lib/pgxs/src/makefiles/pgxs.mk" ] && { echo "$m"; return; }
	done
	for m in 15 16 17 18; do
		[ -n "$(apt-cache policy "postgresql-server-dev-$m" 2>/dev/null | sed -n 's/^  Candidate: \([0-9].*\)/\1/p')" ] && { echo "$m"; return; }
	done
	echo 15
}
major=$(choose_major)
system_lib=/usr/lib/postgresql/$major
system_share=/usr/share/postgresql/$major
system_include=/usr/include/postgresql/$major

# A server refuses to run as root: then it runs as the user postgres.
is_root() { [ "$(id -u)" = 0 ]; }
as_server() { if is_root; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }

# Below the checkout, unless the user postgres may not look in there (a checkout
# in /root) or the socket's path would be longer than an address can hold (107).
choose_place() {
	local here=$top/.pg there
	if [ ${#here} -le 85 ] && { ! is_root || ! id postgres >/dev/null 2>&1 || as_server test -x "$top"; }; then
		echo "$here"
		return
	fi
	there=/var/tmp/spm-$(id -u)-$(printf '%s' "$top" | cksum | cut -d' ' -f1)
	if [ -e "$there" ] && ! [ -O "$there" ]; then die "$there belongs to somebody else"; fi
	echo "$there"
}
pg=$(choose_place)
bin=$pg/usr/lib/postgresql/$major/bin
