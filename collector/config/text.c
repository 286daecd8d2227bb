/* SPDX-License-Identifier: MIT */
#include "config/text.h"

#include "config/scalar_int.h"

#include "banned.h"

int config_text_int(const char *text, int64_t *out, struct err *err)
{
	return scalar_int(text, out, err);
}

int config_text_real(const char *text, double *out, struct err *err)
{
	return scalar_real(text, out, err);
}

int config_text_duration(const char *text, int64_t *out, struct err *err)
{
	return scalar_duration(text, out, err);
}
