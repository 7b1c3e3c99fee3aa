# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The stock Debian kernels that the lab boots, each with what builds modules for it: the cloud flavour, which
# boots fastest, or with -generic behind the series the one that has all drivers. All is kept in build/lab/SERIES:
#
#   release              its release
#   boot, lib            the kernel image, its configuration, its modules
#   usr/src              the headers, if modules are built with the machine's own compiler
#   toolchain            else: a Debian of the kernel's own release, with compiler and headers
#
# A kernel that somebody built is taken from the folder that it was built in.
#
# Sourced by scripts/lab and tests/oracle_prepare, which have die, quietly and step, and source
# scripts/apt.sh too.

# Where the kernels are.
kernels=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/build/lab

# The Debian release that has the kernel series $1.
kernel_suite() {
	case ${1%-generic} in
	5.10) echo bullseye ;;
	6.1) echo bookworm ;;
	6.12) echo trixie ;;
	7.2) echo sid ;;
	*) return 1 ;;
	esac
}

# The series are all known to kernel_suite().
# shellcheck disable=SC2034
KERNELS=(5.10 6.1 6.12 7.2)

# What Debian calls the flavour of the series $1 in its packages' names.
kernel_flavour() {
	case $1 in
	*-generic) echo amd64 ;;
	*) echo cloud-amd64 ;;
	esac
}

# The machine's own release: its security updates count, and its compiler is installed.
kernel_is_native() {
	[[ $(kernel_suite "$1") == "$(. /etc/os-release && echo "$VERSION_CODENAME")" ]]
}

# Prepares apt for the packages of the kernel series $1, with lists less than an hour old.
kernel_apt() {
	local dir=$kernels/apt
	if kernel_is_native "$1"; then
		mkdir -p "$dir"
		apt_init "$dir"
	else
		dir+=-$(kernel_suite "$1")
		mkdir -p "$dir"
		apt_init_suite "$dir" "$(kernel_suite "$1")" || die "no apt for kernel $1"
	fi
	apt_is_fresh "$dir" || quietly apt_update "$dir"
}

# Downloads the packages $2... into the folder $1.
kernel_download() {
	local into=$1
	shift
	mkdir -p "$into"
	(cd "$into" && quietly apt-get "${APT_OPTIONS[@]}" download "$@")
}

# What the packages "$@" depend on, by the first alternative of each dependency.
package_depends() {
	apt-cache "${APT_OPTIONS[@]}" show --no-all-versions "$@" |
		sed -n 's/^Depends: //p' | tr ',' '\n' | sed 's/^ *//; s/[ :].*//' | sort -u
}

# Those of them that are parts of the kernel. In 7.2 the image, its modules and its configuration
# are packages of their own; in 5.10 so is what names the compiler.
kernel_depends() {
	package_depends "$@" |
		grep -E '^linux-(base-|binary-|modules-|headers-|kbuild-|compiler-)' || true
}

# Unpacks the packages in the folder $1 into the folder $2, which may have links to folders.
unpack_packages() {
	local package
	mkdir -p "$2"
	for package in "$1"/*.deb; do
		dpkg-deb --fsys-tarfile "$package" |
			tar --extract --keep-directory-symlink --directory="$2" ||
			die "$package: cannot be unpacked"
	done
}

# Sets kernel_dir, release and vmlinuz of the series $1. It is unpacked, not installed: it is
# for VMs only.
kernel_fetch() {
	kernel_dir=$kernels/$1
	if [[ ! -e $kernel_dir/release ]]; then
		step "fetching Debian's $1 kernel ($(kernel_flavour "$1")), and what builds modules for it"
		kernel_apt "$1"
		rm -rf "$kernel_dir" "$kernel_dir.new"
		fetch_image "$1" "$kernel_dir.new"
		mv "$kernel_dir.new" "$kernel_dir"
	fi
	release=$(<"$kernel_dir/release")
	# shellcheck disable=SC2034 # for who sources this
	vmlinuz=$kernel_dir/boot/vmlinuz-$release
}

fetch_image() {
	local series=$1 dir=$2 headers image
	headers=$(package_depends "linux-headers-$(kernel_flavour "$series")" | grep '^linux-headers-') || true
	local kernel_release=${headers#linux-headers-}
	image=linux-image-$kernel_release
	[[ $kernel_release == "${series%-generic}".* ]] ||
		die "$(kernel_suite "$series") has no $series kernel, but '$kernel_release'"
	local -a parts
	mapfile -t parts <<<"$(kernel_depends "$image")"
	kernel_download "$dir/debs" "$image" ${parts[0]:+"${parts[@]}"}
	unpack_packages "$dir/debs" "$dir"
	rm -rf "$dir/debs"
	normalize_image "$dir" "$kernel_release"
	quietly depmod -b "$dir" "$kernel_release"
	if kernel_is_native "$series"; then
		fetch_headers "$headers" "$dir"
		# The headers name each other by the place where they would be installed.
		sed -i "s|/usr/src/|$kernel_dir/usr/src/|" "$dir/usr/src/$headers/Makefile"
	else
		make_toolchain "$series" "$headers" "$dir/toolchain"
	fi
	echo "$kernel_release" >"$dir/release"
}

# Since 7.0 everything is in /usr/lib/modules.
normalize_image() {
	local dir=$1 name
	[[ -e $dir/lib ]] || ln -s usr/lib "$dir/lib"
	mkdir -p "$dir/boot"
	for name in vmlinuz config; do
		[[ -e $dir/boot/$name-$2 ]] || mv "$dir/lib/modules/$2/$name" "$dir/boot/$name-$2"
	done
}

# Unpacks the headers package $1, and those that it needs, into $2.
fetch_headers() {
	local -a parts
	mapfile -t parts <<<"$(kernel_depends "$1" | grep -Ev '^linux-(base|compiler)-')"
	kernel_download "$2/debs" "$1" "${parts[@]}"
	unpack_packages "$2/debs" "$2"
	rm -rf "$2/debs"
}

make_toolchain() {
	local series=$1 headers=$2 root=$3 log=$kernel_dir.debootstrap.log
	local -a packages
	mapfile -t packages <<<"$(toolchain_packages "$headers")"
	step "a Debian $(kernel_suite "$series") with the compiler, by debootstrap"
	apt_debootstrap "$(kernel_suite "$series")" "$root" make "${packages[@]}" >"$log" 2>&1 ||
		die "debootstrap: $(tail -n 1 "$log"); all that it said: $log"
	rm "$log"
	fetch_headers "$headers" "$root"
}

# What the headers package $1 and its parts need that is no part of the kernel.
toolchain_packages() {
	local -a parts
	mapfile -t parts <<<"$(kernel_depends "$1")"
	package_depends "$1" "${parts[@]}" | grep -v '^linux-'
}

# Runs the command $2... in the Debian in the folder $1. It has a /proc: 7.2's objtool reads its own.
in_debian() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec /usr/sbin/chroot "$0" "$@"' "$@"
}

# Takes the kernel that was built in the folder $1, as it would be installed, into the new folder
# $2. Sets kernel_dir, release, vmlinuz and kernel_built.
kernel_take() {
	local image
	[[ -s $1/include/config/kernel.release ]] || die "$1: no kernel was built here"
	kernel_built=$(cd "$1" && pwd)
	kernel_dir=$2
	release=$(<"$kernel_built/include/config/kernel.release")
	vmlinuz=$kernel_dir/boot/vmlinuz-$release
	image=$kernel_built/$(make -s -C "$kernel_built" image_name)
	[[ -s $image ]] || die "$image is not there: build the kernel"
	mkdir -p "$kernel_dir/boot"
	cp "$image" "$vmlinuz"
	cp "$kernel_built/.config" "$kernel_dir/boot/config-$release"
	quietly make -s -C "$kernel_built" modules_install \
		INSTALL_MOD_PATH="$kernel_dir" INSTALL_MOD_STRIP=1
}

# Builds the modules of the folder $1 for the kernel that was fetched or taken. Sets modules to the
# folder in which they are then.
kernel_build_modules() {
	local headers=/usr/src/linux-headers-$release root=$kernel_dir/toolchain
	if [[ ${kernel_built-} ]]; then
		modules=$kernel_dir/modules
		mkdir -p "$modules"
		install -C -m 644 "$1"/* "$modules/"
		quietly make -s -C "$kernel_built" "M=$modules" modules
	elif [[ -e $root ]]; then
		modules=$root/modules
		mkdir -p "$modules"
		install -C -m 644 "$1"/* "$modules/"
		quietly in_debian "$root" make -s -C "$headers" M=/modules modules
	else
		modules=$kernel_dir/modules
		mkdir -p "$modules"
		install -C -m 644 "$1"/* "$modules/"
		quietly make -s -C "$kernel_dir$headers" "M=$modules" modules
	fi
}
