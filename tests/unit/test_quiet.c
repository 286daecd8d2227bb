/* SPDX-License-Identifier: MIT
 * Quiet hours and the time zones that they are in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/zone.h"
#include "lag/quiet.h"

static struct wall utc(const char *text)
{
	struct wall t;

	assert_int_equal(wall_parse(text, &t), 0);
	return t;
}

static const struct {
	const char *zone, *at;
	int32_t offset;
} offsets[] = {
	{"UTC", "2026-07-01T00:00:00Z", 0},
	{"Europe/Berlin", "2026-03-29T00:59:59Z", 3600},
	{"Europe/Berlin", "2026-03-29T01:00:00Z", 7200},
	{"Europe/Berlin", "2026-10-25T00:59:59Z", 7200},
	{"Europe/Berlin", "2026-10-25T01:00:00Z", 3600},
	{"Europe/Berlin", "1900-01-01T00:00:00Z", 3600},
	{"America/New_York", "2026-03-08T06:59:59Z", -18000},
	{"America/New_York", "2026-03-08T07:00:00Z", -14400},
	{"America/New_York", "2026-11-01T06:00:00Z", -18000},
	{"Asia/Kolkata", "2026-01-01T00:00:00Z", 19800},
	{"Australia/Sydney", "2026-01-01T00:00:00Z", 39600},
	{"Australia/Sydney", "2026-07-01T00:00:00Z", 36000},
	/* beyond the table: the rule */
	{"Europe/Berlin", "2090-07-01T00:00:00Z", 7200},
	{"Europe/Berlin", "2090-12-01T00:00:00Z", 3600},
	{"Australia/Sydney", "2090-01-01T00:00:00Z", 39600},
	{"Australia/Sydney", "2090-07-01T00:00:00Z", 36000},
	{"Asia/Kolkata", "2090-07-01T00:00:00Z", 19800},
};

static void offsets_are_those_of_the_zone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
		struct err err = ERR_INIT;
		struct zone *z = NULL;
		int32_t seen;

		if (zone_open(&z, offsets[i].zone, &err) != 0)
			fail_msg("%s", err.text);
		seen = zone_offset(z, utc(offsets[i].at));
		if (seen != offsets[i].offset)
			fail_msg("%s at %s: %d", offsets[i].zone, offsets[i].at, seen);
		zone_free(z);
	}
}

/* The C library is right about one zone at a time. */
static void they_are_those_of_the_c_library(void **state)
{
	static const char *const zones[] = {"Europe/Berlin",       "America/St_Johns",
					    "Australia/Lord_Howe", "Asia/Tehran",
					    "Africa/Casablanca",   "America/Santiago"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		struct err err = ERR_INIT;
		struct zone *z = NULL;

		if (zone_open(&z, zones[i], &err) != 0)
			fail_msg("%s", err.text);
		setenv("TZ", zones[i], 1);
		tzset();
		/* every 5 hours and 7 minutes from 1975 to 2095 */
		for (int64_t s = 157766400; s < INT64_C(3944678400); s += 18420) {
			time_t t = (time_t)s;
			struct tm tm;

			localtime_r(&t, &tm);
			if (tm.tm_gmtoff != zone_offset(z, (struct wall){s * 1000}))
				fail_msg("%s at %lld: %d, not %ld", zones[i],
					 (long long)s,
					 zone_offset(z, (struct wall){s * 1000}),
					 tm.tm_gmtoff);
		}
		zone_free(z);
	}
	unsetenv("TZ");
}

static void local_time_knows_the_weekday(void **state)
{
	struct err err = ERR_INIT;
	struct zone *z = NULL;
	struct zone_local t;

	(void)state;
	assert_int_equal(zone_open(&z, "Europe/Berlin", &err), 0);
	t = zone_local(z, utc("2026-11-21T23:30:00Z")); /* a Saturday, in Greenwich */
	assert_int_equal(t.weekday, 6);
	assert_int_equal(t.second, 1800);
	t = zone_local(z, utc("1969-12-31T22:00:00Z"));
	assert_int_equal(t.weekday, 2);
	assert_int_equal(t.second, 23 * 3600);
	assert_int_equal(t.day, -1);
	zone_free(z);
}

static void a_name_that_is_none_is_refused(void **state)
{
	static const char *const names[] = {"",
					    "/etc/passwd",
					    "../../etc/passwd",
					    "Mars/Olympus",
					    "Europe/Ber lin",
					    "Europe"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct err err = ERR_INIT;
		struct zone *z = NULL;

		assert_int_equal(zone_open(&z, names[i], &err), ERR_REJECT);
		assert_string_not_equal(err.text, "");
	}
}

/* Any cut and any flipped bit is a zone or none, never a crash. */
static void a_damaged_file_does_no_harm(void **state)
{
	struct buf data = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	unsigned short r[3] = {1, 2, 3};

	(void)state;
	assert_int_equal(file_read("/usr/share/zoneinfo/Europe/Berlin", &data, &err),
			 0);
	for (size_t n = 0; n < data.len; n++) {
		struct zone *z = zone_parse(data.data, n);

		zone_free(z);
	}
	for (int i = 0; i < 3000; i++) {
		size_t at = (size_t)nrand48(r) % data.len;
		char was = data.data[at];
		struct zone *z;

		data.data[at] = (char)(was ^ 1 << nrand48(r) % 8);
		z = zone_parse(data.data, data.len);
		if (z != NULL)
			(void)zone_offset(z, (struct wall){INT64_C(4000000000000)});
		zone_free(z);
		data.data[at] = was;
	}
	buf_free(&data);
}

#define MON 1U
#define FRI 16U
#define SUN 64U

static const struct {
	const char *label;
	struct quiet q;
	int32_t weekday, second;
	bool want;
} rows[] = {
	{"within", {127, 3600, 7200}, 2, 3600, true},
	{"its end is not within", {127, 3600, 7200}, 2, 7200, false},
	{"another day", {MON, 3600, 7200}, 1, 3600, false},
	{"the evening of a night", {FRI, 79200, 21600}, 4, 79200, true},
	{"its morning, on the next day", {FRI, 79200, 21600}, 5, 21599, true},
	{"the morning before is another night's", {FRI, 79200, 21600}, 4, 21599, false},
	{"from Sunday to Monday", {SUN, 79200, 21600}, 0, 0, true},
	{"all day", {127, 0, 86400}, 3, 86399, true},
	{"the same time is a whole day", {MON, 36000, 36000}, 1, 35999, true},
	{"and no more", {MON, 36000, 36000}, 1, 36000, false},
};

static void quiet_is_what_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (quiet_holds(&rows[i].q, rows[i].weekday, rows[i].second) !=
		    rows[i].want)
			fail_msg("%s", rows[i].label);
}

/* In the night in which the clock is set forward, 22:00 to 06:00 is seven hours. */
static void a_short_night_is_short(void **state)
{
	const struct quiet q = {127, 79200, 21600};
	struct err err = ERR_INIT;
	struct zone *z = NULL;
	int minutes = 0;

	(void)state;
	assert_int_equal(zone_open(&z, "Europe/Berlin", &err), 0);
	for (int m = 0; m < 24 * 60; m++) {
		struct wall t = utc("2026-03-28T12:00:00Z");
		struct zone_local l;

		t.ms += (int64_t)m * 60000;
		l = zone_local(z, t);
		minutes += quiet_holds(&q, l.weekday, l.second);
	}
	assert_int_equal(minutes, 7 * 60);
	zone_free(z);
}

static void words_are_read(void **state)
{
	(void)state;
	assert_int_equal(quiet_time("22:05"), 79500);
	assert_int_equal(quiet_time("24:00"), 86400);
	assert_int_equal(quiet_time("24:01"), -1);
	assert_int_equal(quiet_time("7:00"), -1);
	assert_int_equal(quiet_time("07:60"), -1);
	assert_int_equal(quiet_time("07-00"), -1);
	assert_int_equal(quiet_day("mon"), MON);
	assert_int_equal(quiet_day("Friday"), FRI);
	assert_int_equal(quiet_day("fr"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_are_those_of_the_zone),
		cmocka_unit_test(they_are_those_of_the_c_library),
		cmocka_unit_test(local_time_knows_the_weekday),
		cmocka_unit_test(a_name_that_is_none_is_refused),
		cmocka_unit_test(a_damaged_file_does_no_harm),
		cmocka_unit_test(quiet_is_what_the_table_says),
		cmocka_unit_test(a_short_night_is_short),
		cmocka_unit_test(words_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
