// SPDX-License-Identifier: GPL-2.0-only
/* CPUs, tasks and the machine, and the report of them in each of its forms. With LIVE=1 in the input the kernel runs meanwhile. */
#include <stdio.h>

#include "fuzz.h"
#include "dump/format.h"
#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	static FILE *null;
	struct registers registers;
	struct report *report;
	uint64_t live;

	if (!base) {
		base = fuzz_base_kernel("tests/fuzz/machine.kernel");
		null = fopen("/dev/null", "w");
	}
	struct kernel *kernel = fuzz_kernel(base, data, size);
	if (kernel && vmcoreinfo_number(&kernel->info, "LIVE", &live))
		kernel->dump->live = live;
	if (!kernel || !fuzz_ok(report_create(kernel, "vmcore", NULL, &report)))
		return 0;
	fuzz_ok(report_print_text(report, true, true, null));
	fuzz_ok(report_print_json(report, null));
	for (size_t i = 0; i < report->tasks.list.count; i++)
		fuzz_ok(task_registers(kernel, &report->cpus, &report->tasks.list.data[i],
				       &registers));
	for (size_t i = 0; i < report->notes.count; i++)
		fuzz_ok(error_create(ERROR_OTHER, "note: %s", report->notes.data[i].text));
	report_destroy(report);
	return 0;
}
