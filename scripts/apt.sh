# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# apt with lists, a cache and pins of its own, so that neither a package that the
# machine's sources lack (QEMU from backports) nor another release's kernel leaves a
# trace in the machine's apt configuration. Sourced by scripts/deps and scripts/lab.

# What every call of apt-get and apt-cache must be given.
# shellcheck disable=SC2034
APT_OPTIONS=()

# Prepares apt in the folder $1, which gets a copy of the machine's own sources.
apt_init() {
	local dir=$1 file
	mkdir -p "$dir/sources" "$dir/lists/partial" "$dir/cache/archives/partial"
	rm -f "$dir"/sources/*
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
		/etc/apt/sources.list.d/*.sources; do
		if [[ -e $file ]]; then
			cp "$file" "$dir/sources/machine-${file##*/}"
		fi
	done
	if [[ -e /etc/apt/preferences ]]; then
		cp /etc/apt/preferences "$dir/preferences"
	else
		: >"$dir/preferences"
	fi
	# shellcheck disable=SC2034
	APT_OPTIONS=(
		-q
		-o Dpkg::Use-Pty=0
		-o "Dir::State::lists=$dir/lists"
		-o "Dir::Cache=$dir/cache"
		-o Dir::Etc::sourcelist=/dev/null
		-o "Dir::Etc::sourceparts=$dir/sources"
		-o "Dir::Etc::preferences=$dir/preferences"
		-o APT::Sandbox::User= # its own user may not be able to read $dir
		-o APT::Keep-Downloaded-Packages=false
		-o Acquire::Languages=none
		-o Acquire::Retries=3
	)
}

# Fetches the lists of apt in the folder $1.
apt_update() {
	apt-get "${APT_OPTIONS[@]}" update
	touch "$1/updated" # apt gives the lists themselves the server's times
}

# The lists in the folder $1 are less than an hour old.
apt_is_fresh() {
	[[ -n $(find "$1/updated" -mmin -60 2>/dev/null) ]]
}

# The mirror that the machine takes its own release from, as its configuration has it now.
apt_mirror() {
	local codename
	# shellcheck disable=SC1091
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	# shellcheck disable=SC2016 # apt's variables, not the shell's
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' | awk -v codename="$codename" '
		$2 == "main" && ($1 == codename || $1 ~ /^(old)*stable$/) { print $3; found = 1; exit }
		END { exit !found }'
}

# Adds the suite $2 (say, bookworm-backports), on the machine's own mirror, to apt in the folder $1.
apt_add_suite() {
	local dir=$1 suite=$2 mirror
	mirror=$(apt_mirror) || {
		echo "apt: no mirror of this Debian release in /etc/apt" >&2
		return 1
	}
	printf 'deb [signed-by=%s] %s %s main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$mirror" "$suite" \
		>"$dir/sources/$suite.list"
}

# Prefers the suite $2 for the binary packages of the source packages $3...
apt_pin() {
	local dir=$1 suite=$2
	shift 2
	printf '\nPackage: %s\nPin: release n=%s\nPin-Priority: 990\n' \
		"${*/#/src:}" "$suite" >>"$dir/preferences"
}

# Prepares apt in the folder $1 with the suite $2 of the machine's mirror and nothing else: not
# what the machine has installed either.
apt_init_suite() {
	apt_init "$1"
	rm -f "$1"/sources/*
	: >"$1/preferences"
	: >"$1/status"
	APT_OPTIONS+=(-o "Dir::State::status=$1/status")
	apt_add_suite "$1" "$2"
}

# Makes a Debian of the suite $1 in the folder $2, with the packages $3..., by debootstrap, which
# needs root. The mirror, and the proxy if there is one, are those of this machine's apt.
apt_debootstrap() {
	local suite=$1 root=$2 mirror http_proxy='' mounted='' status=0
	shift 2
	((EUID == 0)) || {
		echo "apt: debootstrap needs root" >&2
		return 1
	}
	mirror=$(apt_mirror) || {
		echo "apt: no mirror of this Debian release in /etc/apt" >&2
		return 1
	}
	eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
	if [[ $http_proxy ]]; then
		export http_proxy
	fi
	rm -rf "$root" "$root.new"
	# Its mknod sets modes by /proc, which a bare chroot lacks.
	if [[ ! -e /proc/self ]]; then
		mount -t proc proc /proc
		mounted=yes
	fi
	PATH=$PATH:/usr/sbin debootstrap --variant=minbase --include="$(IFS=, && echo "$*")" \
		"$suite" "$root.new" "$mirror" || status=$?
	if [[ $mounted ]]; then
		umount /proc
	fi
	((status == 0)) || return 1
	rm -f "$root.new"/var/cache/apt/archives/*.deb
	mv "$root.new" "$root"
}
