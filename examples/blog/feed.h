/* SPDX-License-Identifier: MIT */
/* feed.h - GET /feed.xml: the posts published last, as Atom. */
#ifndef BLOG_FEED_H
#define BLOG_FEED_H

#include <covara/covara.h>

/* A cov_handler_fn; `self` is a cov_str, the address where readers find the blog. */
cov_status feed(cov_ctx *ctx, void *self, cov_error *err);

#endif
