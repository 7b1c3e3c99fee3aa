#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A module of dracut's: lockdump's part in the capture environment of Fedora's kdump-utils, after 'lockdump arm --with
# kdump-utils' alone. What it is to do there, and which lockdump it is that does it, arm has written down.

state=/var/lib/lockdump

# The value of $1.
configured() {
	sed -n "s/^$1=//p" "${dracutsysrootdir-}$state/capture.conf" 2>/dev/null
}

# mkdumprd sets IN_KDUMP: no other initramfs is concerned.
check() {
	[[ ${IN_KDUMP-} && $(configured with) == kdump-utils ]] || return 1
	require_binaries "$(configured program)" || return 1
}

depends() {
	echo kdumpbase
}

# Where it is on the rig depends on how it was installed. kdump.sh runs the hooks in the order of their names.
# shellcheck disable=SC2154 # moddir is dracut's, as is dracutsysrootdir
install() {
	inst_binary "$(configured program)" /usr/sbin/lockdump
	inst_simple $state/capture.conf
	if [[ -e ${dracutsysrootdir-}$state/kallsyms ]]; then
		inst_simple $state/kallsyms
	fi
	inst_script "$moddir/begin.sh" /etc/kdump/pre.d/50-lockdump.sh
	inst_script "$moddir/finish.sh" /etc/kdump/post.d/50-lockdump.sh
	# Comes to nothing if the first of these was run.
	inst_script "$moddir/begin.sh" /etc/kdump/emergency.d/50-lockdump.sh
}
