/* SPDX-License-Identifier: MIT */
/* SipHash with one round a block and three at the end (Aumasson and Bernstein), in the byte order of the machine. */
#include "driver/kv/memory/table.h"

typedef struct sip {
    uint64_t a, b, c, d;
} sip;

static inline uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline void sip_round(sip *v)
{
    v->a += v->b;
    v->b = rotate(v->b, 13) ^ v->a;
    v->a = rotate(v->a, 32);
    v->c += v->d;
    v->d = rotate(v->d, 16) ^ v->c;
    v->a += v->d;
    v->d = rotate(v->d, 21) ^ v->a;
    v->c += v->b;
    v->b = rotate(v->b, 17) ^ v->c;
    v->c = rotate(v->c, 32);
}

static inline void sip_block(sip *v, uint64_t block)
{
    v->d ^= block;
    sip_round(v);
    v->a ^= block;
}

uint64_t cov__kv_hash(const uint64_t seed[2], cov_str s)
{
    sip v = { seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
              seed[0] ^ UINT64_C(0x6c7967656e657261), seed[1] ^ UINT64_C(0x7465646279746573) };
    uint64_t last = (uint64_t)s.len << 56;
    size_t at = 0;

    for (; s.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t block;

        memcpy(&block, s.ptr + at, sizeof block);
        sip_block(&v, block);
    }
    for (int shift = 0; at < s.len; at++, shift += 8)
        last |= (uint64_t)(unsigned char)s.ptr[at] << shift;
    sip_block(&v, last);
    v.c ^= 0xff;
    sip_round(&v);
    sip_round(&v);
    sip_round(&v);
    return v.a ^ v.b ^ v.c ^ v.d;
}
