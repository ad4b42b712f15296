/* SPDX-License-Identifier: MIT */
/*
 * Frames of server-sent events (spec/04 sections 2 and 4).
 *
 * DESIGN: all that differs between two subscribers of one event is their own subscription id, and it stands between two
 * texts that do not differ. So a frame is made once, as head and tail, and each stream is written head, own id, tail.
 * Multiplexed streams have the same texts in other brackets.
 */
#include <stdio.h>

#include "covara/json.h"
#include "live/internal.h"

#define DATA "data: "
#define END "\n\n"

static const char *const types[] = { [COV_EVENT_EXISTING] = "existing",
                                     [COV_EVENT_ADDED] = "added",
                                     [COV_EVENT_CHANGED] = "changed",
                                     [COV_EVENT_REMOVED] = "removed",
                                     [COV_EVENT_INVALIDATE] = "invalidate" };

cov_payload *cov__payload_of(cov_str bytes)
{
    cov_payload *payload = cov_payload_new(bytes.len);

    if (payload != NULL && bytes.len != 0)
        memcpy(cov_payload_bytes(payload), bytes.ptr, bytes.len);
    return payload;
}

static cov_payload *three(cov_str a, cov_str b, cov_str c)
{
    cov_payload *payload = cov_payload_new(a.len + b.len + c.len);
    char *at;

    if (payload == NULL)
        return NULL;
    at = cov_payload_bytes(payload);
    memcpy(at, a.ptr, a.len);
    memcpy(at + a.len, b.ptr, b.len);
    memcpy(at + a.len + b.len, c.ptr, c.len);
    return payload;
}

bool cov__frame_make(cov_frame *frame, const cov_host *host, cov_event event, int64_t seq,
                     cov_str members)
{
    char id[COV_UUID_TEXT_BYTES];
    char head[64];
    char start[96];
    size_t head_len;
    size_t start_len;
    cov_str text;

    memset(frame, 0, sizeof *frame);
    frame->seq = seq;
    if (cov_uuid(host, id) != COV_OK)
        return false;
    head_len = (size_t)snprintf(head, sizeof head, "{\"id\":\"%.*s\",\"subscriptionId\":\"",
                                (int)sizeof id, id);
    start_len =
        (size_t)snprintf(start, sizeof start, "\",\"seq\":%lld,\"timestamp\":%lld,\"type\":\"%s\"",
                         (long long)seq, (long long)host->now_ms(host->self), types[event]);
    text = cov_str_of(head, head_len);
    frame->head[0] = three(COV_STR(DATA), text, COV_STR(""));
    frame->head[1] = cov__payload_of(text);
    text = cov_str_of(start, start_len);
    frame->tail[0] = three(text, members, COV_STR("}" END));
    frame->tail[1] = three(text, members, COV_STR("}}" END));
    if (frame->head[0] != NULL && frame->head[1] != NULL && frame->tail[0] != NULL &&
        frame->tail[1] != NULL)
        return true;
    cov__frame_dispose(frame);
    return false;
}

void cov__frame_dispose(cov_frame *frame)
{
    for (int i = 0; i < 2; i++) {
        cov_payload_release(frame->head[i]);
        cov_payload_release(frame->tail[i]);
    }
    memset(frame, 0, sizeof *frame);
}

cov_payload *cov__frame_named(const cov_sub *sub, const char *name, int64_t id, cov_str data)
{
    cov_buf text = COV_BUF_INIT;
    cov_payload *payload;

    if (sub->mux != NULL) {
        COV_BUF_LIT(&text, "event: mux\ndata: {\"c\":");
        cov_json_str(&text, sub->channel);
        cov_buf_printf(&text, ",\"n\":\"%s\",\"d\":", name);
        cov_buf_str(&text, data);
        COV_BUF_LIT(&text, "}" END);
    } else {
        if (id >= 0)
            cov_buf_printf(&text, "id: %lld\n", (long long)id);
        if (strcmp(name, "message") != 0)
            cov_buf_printf(&text, "event: %s\n", name);
        COV_BUF_LIT(&text, DATA);
        cov_buf_str(&text, data);
        COV_BUF_LIT(&text, END);
    }
    payload = !text.failed ? cov__payload_of(cov_buf_view(&text)) : NULL;
    cov_buf_dispose(&text);
    return payload;
}
