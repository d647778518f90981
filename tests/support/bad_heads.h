/*
 * Heads that no request may have: the shapes that parsers have disagreed on. A bad first
 * line stands alone; a bad field is sent with GET and with POST.
 */
#ifndef TESTS_SUPPORT_BAD_HEADS_H
#define TESTS_SUPPORT_BAD_HEADS_H

#include "proto/slice.h"

#define BAD(text)                                                                        \
    {                                                                                    \
        text, sizeof(text) - 1                                                           \
    }

/* Whole heads. */
static const struct slice bad_heads[] = {
    BAD("\r\n\r\n"),
    BAD("\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET\r\n\r\n"),
    BAD("GET /health\r\nHost: a\r\n\r\n"),
    BAD("GET  /health HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health  HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health HTTP/1.1 \r\nHost: a\r\n\r\n"),
    BAD(" GET /health HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET\t/health\tHTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("get /health HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("FOO /health HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("TRACE /health HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("G@T /health HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET http://a/health HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET health HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /he alth HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health%2 HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health#x HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health\0x HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health\x7f HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /h\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health HTTP/0.9\r\nHost: a\r\n\r\n"),
    BAD("GET /health HTTP/1.2\r\nHost: a\r\n\r\n"),
    BAD("GET /health HTTP/2.0\r\nHost: a\r\n\r\n"),
    BAD("GET /health HTTP/1.1x\r\nHost: a\r\n\r\n"),
    BAD("GET /health HTTP/01.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health http/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health ICY/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET /health HTTP/1.1\nHost: a\n\n"),
    BAD("GET /health HTTP/1.1\r\nHost: a\n\r\n"),
    BAD("GET /health HTTP/1.1\r\nHost: a\r\n\n"),
    BAD("GET /health HTTP/1.1\rHost: a\r\r\n\r\n"),
    BAD("GET /health HTTP/1.1\r\n\r\n"),
    BAD("GET /health HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    BAD("GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    BAD("GET /health HTTP/1.1\r\n Host: a\r\n\r\n"),
    BAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    BAD("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    BAD("\x80\x2e\x01\x00\x02\r\n\r\n"),
    BAD("SSH-2.0-OpenSSH_9.2p1\r\n\r\n"),
    BAD("\x05\x01\x00\r\n\r\n"),
    BAD("{\"event\":\"x\"}\r\n\r\n"),
};

/* Field lines, without their end. */
static const struct slice bad_fields[] = {
    BAD("Content-Length: +4"),
    BAD("Content-Length: -1"),
    BAD("Content-Length: 0x4"),
    BAD("Content-Length: 4 5"),
    BAD("Content-Length: 4,5"),
    BAD("Content-Length: 4, 4"),
    BAD("Content-Length: abc"),
    BAD("Content-Length: 4a"),
    BAD("Content-Length: \"4\""),
    BAD("Content-Length: 4.0"),
    BAD("Content-Length:"),
    BAD("Content-Length: 99999999999"),
    BAD("Content-Length: 18446744073709551620"),
    BAD("Content-Length : 4"),
    BAD("Content-Length\t: 4"),
    BAD("Content-Length: 4\r\nContent-Length: 5"),
    BAD("Content-Length: 4\r\nContent-Length: 4"),
    BAD("Content-Length: 4\r\ncontent-length: 0"),
    BAD("Content-Length: 4\r\nTransfer-Encoding: chunked"),
    BAD("Transfer-Encoding: chunked\r\nContent-Length: 4"),
    BAD("Transfer-Encoding: xchunked"),
    BAD("Transfer-Encoding: chunkedx"),
    BAD("Transfer-Encoding: identity"),
    BAD("Transfer-Encoding: gzip, chunked"),
    BAD("Transfer-Encoding: chunked, chunked"),
    BAD("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    BAD("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
    BAD("Transfer-Encoding: chunked;q=1"),
    BAD("Transfer-Encoding: \"chunked\""),
    BAD("Transfer-Encoding : chunked"),
    BAD("Transfer-Encoding:\x0b"
        "chunked"),
    BAD("Transfer-Encoding:"),
    BAD("X-Folded: a\r\n b"),
    BAD("X-Folded: a\r\n\tb"),
    BAD("X-Nul: a\0b"),
    BAD("X-Bell: a\x07"
        "b"),
    BAD("X-Delete: a\x7f"),
    BAD("X-Return: a\rb"),
    BAD("X Blank: a"),
    BAD("X-No-Colon"),
    BAD(": no name"),
    BAD("X@Y: a"),
    BAD("X(Y): a"),
};

#undef BAD

#endif
