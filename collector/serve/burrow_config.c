/* SPDX-License-Identifier: MIT
 * burrow_config: what Burrow tells of its own configuration, as far as we have it. */
#include "base/log.h"
#include "serve/burrow_int.h"

#include "banned.h"

static const char *burrow_level_name(void)
{
	return log_wants(LOG_DEBUG)  ? "debug"
	       : log_wants(LOG_INFO) ? "info"
	       : log_wants(LOG_WARN) ? "warn"
				     : "error";
}

unsigned burrow_config(struct burrow *b)
{
	const struct config_http *h = &b->serve->parts.config->http;
	struct jsonw *w = &b->w;

	burrow_begin(b, false, "main config returned");
	burrow_request(b);
	jsonw_key(w, "general");
	jsonw_object(w);
	jsonw_key_str(w, "pidfile", "");
	jsonw_key_str(w, "stdout-logfile", "");
	jsonw_key_str(w, "access-control-allow-origin", "");
	jsonw_end(w);
	jsonw_key(w, "logging");
	jsonw_object(w);
	jsonw_key_str(w, "filename", "");
	jsonw_key_int(w, "max-size", 0);
	jsonw_key_int(w, "max-backups", 0);
	jsonw_key_int(w, "max-age", 0);
	jsonw_key(w, "use-local-time");
	jsonw_bool(w, false);
	jsonw_key(w, "use-compression");
	jsonw_bool(w, false);
	jsonw_key_str(w, "level", burrow_level_name());
	jsonw_end(w);
	jsonw_key(w, "zookeeper");
	jsonw_object(w);
	jsonw_key_str(w, "servers", NULL);
	jsonw_key_int(w, "timeout", 0);
	jsonw_key_str(w, "root-path", "");
	jsonw_end(w);
	jsonw_key(w, "httpserver");
	jsonw_object(w);
	jsonw_key(w, "default");
	jsonw_object(w);
	jsonw_key_str(w, "address", h->listen);
	jsonw_key_str(w, "tls", "");
	jsonw_key_int(w, "timeout", 30);
	jsonw_end(w);
	jsonw_end(w);
	jsonw_end(w);
	return MHD_HTTP_OK;
}

void burrow_loglevel(const struct serve *s, const struct target *t, struct buf *out)
{
	struct burrow b = {jsonw_start(out), s, NULL, t};

	burrow_begin(&b, false, "log level returned");
	jsonw_key_str(&b.w, "level", burrow_level_name());
	burrow_request(&b);
	jsonw_end(&b.w);
}
