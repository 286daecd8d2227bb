/* SPDX-License-Identifier: MIT */
#include "lag/quiet.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"

#include "banned.h"

#define DAY 86400

int32_t quiet_time(const char *text)
{
	int32_t hours, minutes;

	if (strlen(text) != 5 || text[2] != ':' || !isdigit((unsigned char)text[0]) ||
	    !isdigit((unsigned char)text[1]) || !isdigit((unsigned char)text[3]) ||
	    !isdigit((unsigned char)text[4]))
		return -1;
	hours = (text[0] - '0') * 10 + text[1] - '0';
	minutes = (text[3] - '0') * 10 + text[4] - '0';
	if (minutes > 59 || hours * 60 + minutes > 24 * 60)
		return -1;
	return hours * 3600 + minutes * 60;
}

unsigned quiet_day(const char *text)
{
	static const char *const days[] = {"monday",   "tuesday", "wednesday",
					   "thursday", "friday",  "saturday",
					   "sunday"};

	for (unsigned i = 0; i < ARRAY_LEN(days); i++)
		if (strcasecmp(text, days[i]) == 0 ||
		    (strlen(text) == 3 && strncasecmp(text, days[i], 3) == 0))
			return 1U << i;
	return 0;
}

static bool has_day(const struct quiet *q, int32_t weekday)
{
	return (q->days & 1U << weekday) != 0;
}

bool quiet_holds(const struct quiet *q, int32_t weekday, int32_t second)
{
	if (q->from < q->to)
		return has_day(q, weekday) && second >= q->from && second < q->to;
	return (has_day(q, weekday) && second >= q->from) ||
	       (has_day(q, (weekday + 6) % 7) && second < q->to);
}
