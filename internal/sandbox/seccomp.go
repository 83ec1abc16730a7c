package sandbox

import (
	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// seccomp refuses the system calls that no workload here needs and that reach
// past the sandbox: other namespaces, mounts, modules, tracing of others, keys.
// All else stays allowed; the capabilities that the rest would need are gone.
func seccomp() *specs.LinuxSeccomp {
	eperm, enosys := uint(unix.EPERM), uint(unix.ENOSYS)
	calls := []specs.LinuxSyscall{
		{
			Names: []string{
				"acct", "add_key", "bpf", "delete_module", "fanotify_init", "finit_module", "fsconfig", "fsmount",
				"fsopen", "fspick", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "kexec_file_load",
				"kexec_load", "keyctl", "mount", "mount_setattr", "move_mount", "name_to_handle_at", "open_by_handle_at",
				"open_tree", "perf_event_open", "pivot_root", "process_vm_readv", "process_vm_writev", "quotactl", "reboot",
				"request_key", "setns", "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd",
			},
			Action: specs.ActErrno, ErrnoRet: &eperm,
		},
		// clone3 hides its flags behind a pointer; without it the C library takes clone.
		{Names: []string{"clone3"}, Action: specs.ActErrno, ErrnoRet: &enosys},
	}
	for _, flag := range []uint64{
		unix.CLONE_NEWNS, unix.CLONE_NEWCGROUP, unix.CLONE_NEWUTS, unix.CLONE_NEWIPC, unix.CLONE_NEWUSER, unix.CLONE_NEWPID, unix.CLONE_NEWNET,
	} {
		calls = append(calls, specs.LinuxSyscall{
			Names: []string{"clone"}, Action: specs.ActErrno, ErrnoRet: &eperm,
			Args: []specs.LinuxSeccompArg{{Index: 0, Value: flag, ValueTwo: flag, Op: specs.OpMaskedEqual}},
		})
	}
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32, specs.ArchAARCH64, specs.ArchARM},
		Syscalls:      calls,
	}
}
