# SPDX-License-Identifier: GPL-2.0-only
# The test targets; included by the Makefile.
