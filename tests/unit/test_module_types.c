// SPDX-License-Identifier: GPL-2.0-only
/* BTF of modules, which goes on where the kernel's ends; BTF as 7.1 and later have it. */
#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>

#include "make_kernel.h"
#include "symbols/types.h"
#include "test.h"

#define INFO(kind, vlen) ((uint32_t)(kind) << 24 | (vlen))
#define NEW_KIND	 0x45 /* seven bits */

static const char base_strings[] = "\0u32\0base\0a\0fwd\0colour\0RED\0BLUE";
enum { U32 = 1, BASE = 5, A = 10, FWD = 12, COLOUR = 16, RED = 23, BLUE = 27 };
static const char own_strings[] = "\0own\0b\0base";
enum { OWN = sizeof(base_strings) + 1, B = OWN + 4 };

static const uint32_t base_words[] = {
	U32,	INFO(BTF_KIND_INT, 0),
	4,	32, /* 1 */
	FWD,	INFO(BTF_KIND_FWD, 0),
	0, /* 2 */
	0,	INFO(BTF_KIND_PTR, 0),
	2, /* 3: struct fwd * */
	BASE,	INFO(BTF_KIND_STRUCT, 2),
	16, /* 4 */
	A,	1,
	0, /* u32 a */
	FWD,	3,
	64, /* struct fwd *fwd */
	COLOUR, INFO(BTF_KIND_ENUM, 2),
	4,	RED,
	0,	BLUE,
	7, /* 5 */
};

/* Its first type is number 6: a pointer to the base's struct; then a struct of both. */
static const uint32_t own_words[] = {
	0,   INFO(BTF_KIND_PTR, 0),
	4, /* 6 */
	OWN, INFO(BTF_KIND_STRUCT, 3),
	40, /* 7 */
	B,   6,
	0, /* struct base *b */
	A,   4,
	64, /* struct base a */
	FWD, 8,
	192, /* u32 fwd[4] */
	0,   INFO(BTF_KIND_ARRAY, 0),
	0,   1,
	1,   4, /* 8 */
};

static void *make_btf(const uint32_t *words, size_t size, const char *strings, size_t strings_size,
		      size_t *size_ret)
{
	const struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(header),
		.type_len = size,
		.str_off = size,
		.str_len = strings_size,
	};
	*size_ret = sizeof(header) + size + strings_size;
	char *data = malloc(*size_ret);

	assert_non_null(data);
	memcpy(data, &header, sizeof(header));
	memcpy(data + sizeof(header), words, size);
	memcpy(data + sizeof(header) + size, strings, strings_size);
	return data;
}

static struct types *base(void)
{
	struct types *types;
	size_t size;
	void *data =
		make_btf(base_words, sizeof(base_words), base_strings, sizeof(base_strings), &size);

	assert_no_error(types_parse(data, size, &types));
	return types;
}

static void split(void **state)
{
	struct types *kernel = base(), *module;
	struct member member;
	size_t size;
	void *data =
		make_btf(own_words, sizeof(own_words), own_strings, sizeof(own_strings), &size);

	(void)state;
	assert_no_error(types_parse_module(data, size, kernel, &module));
	assert_int_equal(types_sizeof(module, "own"), 40);
	assert_int_equal(types_sizeof(module, "base"), 16);
	assert_int_equal(types_sizeof(kernel, "own"), 0);
	assert_true(types_member(module, "own", "a.fwd", &member));
	assert_int_equal(member.offset, 16);
	assert_true(types_member(module, "own", "fwd", &member));
	assert_int_equal(member.count, 4);
	assert_int_equal(member.size, 4);
	assert_true(types_member(module, "own", "b", &member));
	assert_int_equal(member.size, 8);
	assert_false(types_member(module, "own", "none", &member));
	assert_false(types_member(module, "none", "a", &member));
	types_destroy(module);
	/* Cut off anywhere, or with any word changed, it is refused or read, but no crash. */
	for (size_t cut = 0; cut < size; cut++) {
		size_t whole;
		data = make_btf(own_words, sizeof(own_words), own_strings, sizeof(own_strings),
				&whole);
		struct error *err = types_parse_module(data, cut, kernel, &module);
		assert_non_null(err);
		error_destroy(err);
	}
	for (size_t i = 0; i < sizeof(own_words) / 4; i++) {
		static const uint32_t values[] = { 0, 5, 8, 9, 1u << 31, 0xffffffff };
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			uint32_t words[sizeof(own_words) / 4];
			memcpy(words, own_words, sizeof(words));
			words[i] = values[v];
			data = make_btf(words, sizeof(words), own_strings, sizeof(own_strings),
					&size);
			struct error *err = types_parse_module(data, size, kernel, &module);
			if (!err) {
				types_member(module, "own", "a.fwd", &member);
				types_member(module, "own", "b", &member);
				types_destroy(module);
			}
			error_destroy(err);
		}
	}
	types_destroy(kernel);
}

/* A header with a section that tells how long kinds are, and types of a kind of tomorrow. */
static struct error *with_layouts(uint32_t layout_size, uint8_t fixed, uint8_t element,
				  struct types **ret)
{
	struct {
		struct btf_header header;
		uint32_t layout_off, layout_len;
		uint32_t types[16];
		uint8_t layouts[(NEW_KIND + 1) * 4];
		char strings[sizeof(base_strings)];
	} *btf = calloc(1, sizeof(*btf));
	const uint32_t types[16] = {
		A,    INFO(NEW_KIND, 2),	0, 0xdead, 0xbeef, 0xf00d, /* 1: 4 + 2 * 4 bytes */
		U32,  INFO(BTF_KIND_INT, 0),	4, 32, /* 2 */
		BASE, INFO(BTF_KIND_STRUCT, 1), 8, A,	   2,	   32, /* 3 */
	};

	assert_non_null(btf);
	btf->header = (struct btf_header){
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(btf->header) + 8,
		.type_len = sizeof(types),
		.str_off = sizeof(types) + sizeof(btf->layouts),
		.str_len = sizeof(base_strings),
	};
	btf->layout_off = sizeof(types);
	btf->layout_len = layout_size;
	memcpy(btf->types, types, sizeof(types));
	memcpy(btf->strings, base_strings, sizeof(base_strings));
	btf->layouts[NEW_KIND * 4] = fixed;
	btf->layouts[NEW_KIND * 4 + 1] = element;
	return types_parse(btf, sizeof(*btf), ret);
}

static void kinds_of_tomorrow(void **state)
{
	struct types *types;
	struct member member;

	(void)state;
	assert_no_error(with_layouts((NEW_KIND + 1) * 4, 4, 4, &types));
	assert_true(types_member(types, "base", "a", &member));
	assert_int_equal(member.offset, 4);
	types_destroy(types);
	assert_error(with_layouts(NEW_KIND * 4, 4, 4, &types), ERROR_CORRUPT, "unknown kind 69");
	assert_error(with_layouts(0xffffffff, 4, 4, &types), ERROR_CORRUPT, "unknown kind 69");
	assert_error(with_layouts((NEW_KIND + 1) * 4, 3, 4, &types), ERROR_CORRUPT, "unknown kind");
	assert_error(with_layouts((NEW_KIND + 1) * 4, 255, 255, &types), ERROR_CORRUPT, "type 1");
}

/* Over 65535 enumerators, which 16 bits do not count. */
static void long_types(void **state)
{
	const uint32_t count = 70000;
	size_t words = 3 + 2 * count, size;
	uint32_t *type = calloc(words, sizeof(*type));
	struct types *types;
	int64_t value;

	(void)state;
	assert_non_null(type);
	type[0] = COLOUR;
	type[1] = INFO(BTF_KIND_ENUM, count);
	type[2] = 4;
	type[3 + 2 * (count - 1)] = BLUE;
	type[3 + 2 * (count - 1) + 1] = 9;
	void *data = make_btf(type, words * 4, base_strings, sizeof(base_strings), &size);
	free(type);
	assert_no_error(types_parse(data, size, &types));
	assert_true(types_enumerator(types, "colour", "BLUE", &value));
	assert_int_equal(value, 9);
	types_destroy(types);
}

static const char module_list[] =
	"struct list_head 16 next:ptr@0 prev:ptr@8\n"
	"struct btf 64 data:ptr@0 data_size:u32@8\n"
	"struct btf_module 64 list:list_head@0 module:ptr@16 btf:ptr@24\n"
	"struct module_layout 80 base:ptr@0 size:u32@8\n"
	"struct mod_kallsyms 32 symtab:ptr@0 num_symtab:u32@8 strtab:ptr@16\n"
	"struct module 512 state:u32@0 list:list_head@8 name:char[56]@24 core_layout:module_layout@96 "
	"init_layout:module_layout@176 taints:u64@288 kallsyms:ptr@296\n"
	"symbol modules 0xffffffff82900000 D\n"
	"symbol btf_modules 0xffffffff82901000 d\n"
	"at modules\n u64 0xffffffffc0202008\n"
	"at 0xffffffffc0202018\n str beta\n"
	"set 0xffffffffc0202000 module.list.next modules\n"
	"set 0xffffffffc0202000 module.core_layout.base 0xffffffffc0200000\n"
	"set 0xffffffffc0202000 module.core_layout.size 0x3000\n"
	"at btf_modules\n u64 0xffff888000001000\n"
	"set 0xffff888000001000 btf_module.module 0xffffffffc0202000\n"
	"set 0xffff888000001000 btf_module.btf 0xffff888000002000\n"
	"set 0xffff888000002000 btf.data 0xffff888000003000\n";

/* A struct "own" without members is all that the module has: it needs to know nothing of the kernel's types. */
static const struct types *open_module(const char *change, struct kernel **kernel_ret,
				       struct error **err_ret)
{
	static const char name[] = "own";
	struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(header),
		.type_len = 12,
		.str_off = 12,
		.str_len = sizeof(name),
	};
	uint32_t words[3] = { 0, INFO(BTF_KIND_STRUCT, 0), 24 };
	const struct types *types;
	struct make_kernel k;
	const struct btf_header *kernels;

	make_kernel_init(&k);
	make_kernel_text(&k, made_kernel_minimum);
	make_kernel_text(&k, module_list);
	kernels = btf__raw_data(k.btf, &(uint32_t){ 0 });
	words[0] = kernels->str_len;
	k.dump.poke(&k.dump, 0xffff888000003000, &header, sizeof(header));
	k.dump.poke(&k.dump, 0xffff888000003000 + sizeof(header), words, sizeof(words));
	k.dump.poke(&k.dump, 0xffff888000003000 + sizeof(header) + 12, name, sizeof(name));
	make_kernel_line(&k, "set 0xffff888000002000 btf.data_size %zu",
			 sizeof(header) + 12 + sizeof(name));
	make_kernel_text(&k, "set 0xffff888000001000 btf_module.list.next btf_modules\n");
	make_kernel_text(&k, change);
	*kernel_ret = make_kernel_open(&k);
	make_kernel_deinit(&k);
	struct symbols *symbols = &(*kernel_ret)->symbols;
	assert_int_equal(symbols->modules.list.count, 1);
	*err_ret = symbols_module_types(symbols, &symbols->modules.list.data[0], &types);
	assert_int_equal(types_sizeof(types, "list_head"), 16);
	return types;
}

static void of_a_module(void **state)
{
	static const struct {
		const char *change, *says;
	} cases[] = {
		{ "set 0xffff888000002000 btf.data_size 0xffffffff\n", "a table of" },
		{ "set 0xffff888000002000 btf.data_size 0x2000000\n", "a table of" },
		{ "set 0xffff888000002000 btf.data_size 20\n", "no BTF" },
		{ "set 0xffff888000002000 btf.data 0\n", "beta" },
		{ "set 0xffff888000001000 btf_module.list.next 0\n", "the modules' BTF" },
		{ "set 0xffff888000001000 btf_module.btf 0\n", NULL },
		{ "set 0xffff888000001000 btf_module.module 0\n", NULL },
	};
	struct kernel *kernel;
	struct error *err;
	const struct types *types = open_module("", &kernel, &err);

	(void)state;
	assert_no_error(err);
	assert_int_equal(types_sizeof(types, "own"), 24);
	assert_int_equal(types_sizeof(kernel->symbols.types, "own"), 0);
	kernel_close(kernel);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		types = open_module(cases[i].change, &kernel, &err);
		if (cases[i].says)
			assert_non_null(strstr(err->message, cases[i].says));
		else
			assert_no_error(err);
		error_destroy(err);
		/* It is not tried again. */
		assert_no_error(symbols_module_types(
			&kernel->symbols, &kernel->symbols.modules.list.data[0], &types));
		kernel_close(kernel);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a module's types go on where the kernel's end", split),
		TEST("a kind that is not known is passed over if the BTF tells its size",
		     kinds_of_tomorrow),
		TEST("a type may have more members than 16 bits count", long_types),
		TEST("each module's types are found, and what is wrong with them is said once",
		     of_a_module),
	};
	return RUN_TESTS(tests);
}
