# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the lab's guest consists of: its initramfs, and the disk that is its store.
#
# Sourced by scripts/lab, for the options of its command line and what they are by default, and for scripts/kernels.sh's
# $release, $vmlinuz and $kernel_dir. All is made in $out.
# shellcheck disable=SC2154 # they are given there

# The files that the program $1 loads at its start; none if it is linked statically.
shared_libraries() {
	ldd "$1" 2>/dev/null | grep -o '/[^ ]*' || true
}

# Copies the programs $2... into the root $1, each with its shared libraries.
install_programs() {
	local root=$1 program file
	shift
	for program in "$@"; do
		file=$(PATH=$PATH:/usr/sbin:/sbin type -P "$program") ||
			die "$program is not installed: run scripts/deps"
		install -D "$file" "$root/usr/bin/${program##*/}"
		while read -r file; do
			if [[ $file && ! -e $root/$file ]]; then
				install -D "$file" "$root/$file"
			fi
		done <<<"$(shared_libraries "$file")"
	done
}

# Copies the module $2 and what it needs into the root $1: nothing if it is built in.
install_module() {
	local root=$1 list what file
	list=$(modprobe -d "$kernel_dir" -S "$release" --show-depends "$2" 2>/dev/null) ||
		die "$release has no $2"
	while read -r what file; do
		if [[ $what == insmod ]]; then
			install -D -m 644 "$file" "$root/usr/${file#"$kernel_dir"/}"
		fi
	done <<<"$list"
}

# The modules that lead to the store. What a file system asks for when it is mounted, too.
store_modules() {
	case $bus in
	virtio-blk) echo virtio_pci virtio_blk ;;
	virtio-scsi) echo virtio_pci virtio_scsi sd_mod ;;
	sata) echo ahci sd_mod ;;
	nvme) echo nvme ;;
	esac
	case $fs in
	vfat) echo vfat nls_cp437 nls_ascii ;;
	*) echo "$fs" ;;
	esac
}

# Its device in the guest.
store_device() {
	case $bus in
	virtio-blk) echo /dev/vda ;;
	virtio-scsi | sata) echo /dev/sda ;;
	nvme) echo /dev/nvme0n1 ;;
	esac
}

# Not compressed: QEMU loads faster than it unpacks.
build_guest() {
	local root=$out/root name
	mkdir -p "$root"/{dev,proc,sys,run,tmp,etc,var/crash,boot,usr/{bin,lib,lib64,libexec/lab}}
	ln -s bin "$root/usr/sbin"
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$root/$name"
	done
	install_programs "$root" busybox kexec makedumpfile cpio setpriv "$program" \
		${install:+${install//,/ }}
	for name in $(busybox --list); do
		[[ -e $root/usr/bin/$name ]] || ln -s busybox "$root/usr/bin/$name"
	done
	for name in $(store_modules); do
		install_module "$root" "$name"
	done
	if [[ $fs == btrfs ]]; then
		install_module "$root" loop # for a second device
	fi
	for name in ${modules_too//,/ }; do
		install_module "$root" "$name"
	done
	if ((nics)); then
		install_module "$root" virtio_net
	fi
	if [[ $qemu_dumps ]]; then
		install_module "$root" qemu_fw_cfg # tells QEMU where the vmcoreinfo is
	fi
	local modules=$root/usr/lib/modules/$release
	mkdir -p "$modules"
	cp "$kernel_dir/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$modules/"
	install -D -m 644 "$out/ldhang.ko" "$modules/updates/ldhang.ko"
	quietly depmod -b "$root" "$release"
	cp "$vmlinuz" "$kernel_dir/boot/config-$release" "$root/boot/"
	cp /etc/os-release "$root/etc/"
	quietly gcc -O1 -static -pthread -o "$root/usr/libexec/lab/tasks" "$top/tests/guest/tasks.c"
	for name in listen timed without; do
		quietly gcc -O1 -static -o "$root/usr/libexec/lab/$name" "$top/tests/guest/$name.c"
	done
	install "$top/tests/guest/reproducer" "$root/usr/libexec/lab/"
	install "${init:-$top/tests/guest/init}" "$root/init"
	if [[ $overlay ]]; then
		tar -C "$overlay" -c . | tar -C "$root" -x --keep-directory-symlink --no-same-owner
	fi
}

pack() {
	(cd "$1" && find . -print0 | sort -z |
		cpio --null --create --format=newc --owner=0:0 --quiet)
}

# This run's configuration, for the guest.
configure_guest() {
	# The kernel complains after twice this in its seconds of 1.07 s, and looks each 2/5 of it:
	# at the latest when 2/3 of the time to the trigger are over.
	cat >"$out/root/etc/lab.conf" <<-END
		STORE_MODULES='$(store_modules | tr '\n' ' ')'
		STORE_DEVICE=$(store_device)
		STORE_FS=$fs
		SCENARIOS='${scenario//,/ }'
		CRASH_AFTER=$crash_after
		QEMU_DUMPS=$qemu_dumps
		SERVICE=$service
		THREADS=$threads
		THRESHOLD=$threshold
		TRIGGER=$trigger
		TRIGGER_AFTER=$trigger_after
		CONTROLLER=$controller
		WATCHDOG_THRESH=$((trigger_after > 7 ? trigger_after / 4 : 2))
	END
}

build_initramfs() {
	build_guest
	configure_guest
	pack "$out/root" >"$out/initramfs.cpio"
	rm -r "$out/root"
}

make_store() {
	local image=$out/store.img path=$PATH:/usr/sbin:/sbin
	truncate -s "$((memory + 512))M" "$image"
	case $fs in
	ext4)
		mkdir -m 700 "$out/empty"
		PATH=$path quietly mke2fs -q -t ext4 -m 0 -U random -d "$out/empty" "$image"
		rmdir "$out/empty"
		;;
	vfat) PATH=$path quietly mkfs.vfat -F 32 "$image" ;;
	*) PATH=$path quietly "mkfs.$fs" -q "$image" ;;
	esac
}

# All but the first, which is the store's, or a machine's own.
make_disks() {
	local n
	for ((n = 1; n < disks; n++)); do
		truncate -s "$((memory + 512))M" "$out/disk$n.img"
	done
}
