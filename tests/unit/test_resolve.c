/* SPDX-License-Identifier: MIT
 * Names and a resolver that takes its time: nobody waits for it longer than he wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/resolve.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool answers, asked;
static struct wake stop;

static struct addrinfo *loopback(const char *service)
{
	struct sockaddr_in *a = mem_calloc(1, sizeof(*a));
	struct addrinfo *list = mem_calloc(1, sizeof(*list));

	*a = (struct sockaddr_in){.sin_family = AF_INET,
				  .sin_port = htons((uint16_t)atoi(service)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	list->ai_family = AF_INET;
	list->ai_addr = (struct sockaddr *)a;
	list->ai_addrlen = sizeof(*a);
	return list;
}

/* In place of libc's: numbers are known at once; a name when the test lets it. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		struct addrinfo **out)
{
	if (strcmp(host, "127.0.0.1") == 0) {
		*out = loopback(service);
		return 0;
	}
	if ((hints->ai_flags & AI_NUMERICHOST) != 0)
		return EAI_NONAME;
	pthread_mutex_lock(&lock);
	asked = true;
	pthread_cond_broadcast(&changed);
	while (!answers)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	if (strcmp(host, "nobody.example") == 0)
		return EAI_NONAME;
	*out = loopback(service);
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	free(list->ai_addr);
	free(list);
}

static void let_it_answer(bool yes)
{
	pthread_mutex_lock(&lock);
	answers = yes;
	asked = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static int begin(void **state)
{
	(void)state;
	let_it_answer(false);
	return wake_init(&stop);
}

static int end(void **state)
{
	(void)state;
	let_it_answer(true); /* who was left behind may go */
	wake_fini(&stop);
	return 0;
}

static struct mono in_ms(int64_t ms)
{
	return mono_add_ms(clock_mono(), ms);
}

static void a_number_needs_no_resolver(void **state)
{
	struct addrinfo *list = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(resolve_host(&list, "127.0.0.1", "9308", &stop, in_ms(0),
				      &err),
			 0);
	assert_int_equal(ntohs(((struct sockaddr_in *)list->ai_addr)->sin_port), 9308);
	freeaddrinfo(list);
}

static void a_name_has_its_addresses_or_a_reason(void **state)
{
	struct addrinfo *list = NULL;
	struct err err = ERR_INIT;

	(void)state;
	let_it_answer(true);
	assert_int_equal(resolve_host(&list, "host.example", "1", &stop, in_ms(60000),
				      &err),
			 0);
	freeaddrinfo(list);
	assert_int_equal(resolve_host(&list, "nobody.example", "1", &stop, in_ms(60000),
				      &err),
			 ERR_RETRY);
	assert_non_null(strstr(err.text, "the name cannot be resolved: "));
}

static void a_silent_resolver_is_waited_for_until_the_deadline(void **state)
{
	struct addrinfo *list = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(resolve_host(&list, "host.example", "1", &stop, in_ms(50),
				      &err),
			 ERR_RETRY);
	assert_string_equal(err.text, "the resolver does not answer");
	assert_null(list);
}

static void *stop_when_asked(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	while (!asked)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	wake_stop(&stop);
	return NULL;
}

static void a_stop_waits_for_no_resolver(void **state)
{
	struct addrinfo *list = NULL;
	struct err err = ERR_INIT;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, stop_when_asked, NULL), 0);
	assert_int_equal(resolve_host(&list, "host.example", "1", &stop, MONO_NEVER,
				      &err),
			 ERR_AGAIN); /* or never */
	pthread_join(thread, NULL);
	assert_null(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_number_needs_no_resolver, begin, end),
		cmocka_unit_test_setup_teardown(a_name_has_its_addresses_or_a_reason,
						begin, end),
		cmocka_unit_test_setup_teardown(
			a_silent_resolver_is_waited_for_until_the_deadline, begin, end),
		cmocka_unit_test_setup_teardown(a_stop_waits_for_no_resolver, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
