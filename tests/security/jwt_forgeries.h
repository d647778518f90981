/* The table of forged tokens, and what is done to make each: see jwt_table_test.c. */
#ifndef TESTS_SECURITY_JWT_FORGERIES_H
#define TESTS_SECURITY_JWT_FORGERIES_H

#include "proto/claims.h"

#define NOW 1700000000
#define SECRET "mG7vq2Yt0bXwP9sKzR4hLdC8eJfN1uAo5"
#define ISS "\"iss\":\"https://id.example\""
#define CLAIMS(sub, exp, more)                                                           \
    "{\"sub\":" sub ",\"exp\":" exp "," ISS ",\"aud\":\"app\"" more "}"
#define GOOD CLAIMS("\"42\"", "1700000600", "")
#define HEAD(more) "{\"alg\":\"RS256\",\"kid\":\"RS256\"" more "}"
#define HS(more) "{\"alg\":\"HS256\"" more "}"
/* Only the kid: `alg` is what the row is about. */
#define ALG(value) "{\"alg\":" value ",\"kid\":\"RS256\"}"
#define KID(value) "{\"alg\":\"RS256\",\"kid\":" value "}"

enum {
    MIN_FORGERIES = 40
};

/* How a row is signed, and what is done to it then. */
enum how {
    WELL,          /* with the private key of RS256 */
    AS_PS256,      /* the key of RS256, the padding of PSS */
    NO_SALT,       /* with the key of PS256, but without its salt */
    AS_RS512,      /* the key of RS256, another hash */
    ANOTHER_KEY,   /* an RSA key of the forger's */
    NOTHING,       /* an empty signature */
    ZEROS,         /* as long as it should be */
    HMAC_PEM,      /* HS256, the public key's PEM as the secret: J1 */
    HMAC_PEM_LINE, /* with one more line end */
    HMAC_DER,      /* its DER */
    HMAC_JWK,      /* its JWK */
    HMAC_EMPTY,    /* HS256, no secret: J2 */
    SECRET_ON_RSA, /* the secret, where a public key is asked for */
    CUT,           /* one byte short */
    HMAC_CUT,      /* with the secret, one byte short */
    LONGER,        /* one byte more */
    OTHER_PAYLOAD, /* signed for another payload */
    BASE64_PADDED, /* "=" behind it */
    BASE64_SPARE,  /* the same bytes, other spare bits */
    BASE64_PLAIN,  /* the other alphabet */
    BASE64_BLANK,  /* a line end inside */
    FOURTH_PART,
    BLANK_BEHIND,
};

struct forgery {
    const char *threat;
    enum how how;
    const char *header, *payload;
    const char *why;      /* part of the hint */
    enum refusal refusal; /* REFUSAL_NONE here stands for REFUSAL_INVALID */
};

/* clang-format off: a table, one row each, wider than a line. */
static const struct forgery forgeries[] = {
    {"alg: none",                         NOTHING,        ALG("\"none\""),                                                        GOOD,"three parts",                                                               0},
    {"alg: none, a signature",            WELL,           ALG("\"none\""),                                                        GOOD,"alg is not RS256",                                                          0},
    {"alg: None",                         WELL,           ALG("\"None\""),                                                        GOOD,"alg is not RS256",                                                          0},
    {"alg: nOnE",                         WELL,           ALG("\"nOnE\""),                                                        GOOD,"alg is not RS256",                                                          0},
    {"alg: empty",                        WELL,           ALG("\"\""),                                                            GOOD,"names no alg",                                                              0},
    {"alg: missing",                      WELL,           "{\"kid\":\"RS256\"}",                                                  GOOD,"names no alg",                                                              0},
    {"alg: array",                        WELL,           ALG("[\"RS256\"]"),                                                     GOOD,"not a plain string",                                                        0},
    {"alg: object",                       WELL,           ALG("{\"RS256\":1}"),                                                   GOOD,"not a plain string",                                                        0},
    {"alg: null",                         WELL,           ALG("null"),                                                            GOOD,"not a plain string",                                                        0},
    {"alg: lower case",                   WELL,           ALG("\"rs256\""),                                                       GOOD,"alg is not RS256",                                                          0},
    {"alg: a blank behind",               WELL,           ALG("\"RS256 \""),                                                      GOOD,"alg is not RS256",                                                          0},
    {"alg: escaped",                      WELL,           ALG("\"\\u0052S256\""),                                                 GOOD,"not a plain string",                                                        0},
    {"alg: its name escaped",             WELL,           "{\"\\u0061lg\":\"RS256\"}",                                            GOOD,"escapes",                                                                   0},
    {"alg: twice",                        WELL,           HEAD(",\"alg\":\"none\""),                                              GOOD,"small JSON object",                                                         0},
    {"alg: upper-case name beside it",    WELL,           "{\"ALG\":\"RS256\",\"kid\":\"RS256\"}",
     GOOD,"names no alg",                                                              0},
    {"alg: of the same key, another",     AS_RS512,       ALG("\"RS512\""),                                                       GOOD,
     "alg is not RS256",0},
    {"alg: another padding",              AS_PS256,       ALG("\"PS256\""),                                                       GOOD,"alg is not RS256",                                                          0},
    {"alg: PSS under the name of RS256",  AS_PS256,       HEAD(""),                                                               GOOD,
     "signature does not hold",0},
    {"alg: PSS without a salt",           NO_SALT,        "{\"alg\":\"PS256\",\"kid\":\"PS256\"}",                                GOOD,
     "signature does not hold",0},
    {"alg: PKCS #1 under that of PS256",  WELL,           "{\"alg\":\"PS256\",\"kid\":\"PS256\"}",
     GOOD,"signature does not hold",                                                   0},
    {"alg: another hash",                 AS_RS512,       HEAD(""),                                                               GOOD,"signature does not hold",                                                   0},

    {"confusion: the PEM",                HMAC_PEM,       ALG("\"HS256\""),                                                       GOOD,"alg is not RS256",                                                          0},
    {"confusion: the PEM and a line",     HMAC_PEM_LINE,  ALG("\"HS256\""),                                                       GOOD,
     "alg is not RS256",0},
    {"confusion: the DER",                HMAC_DER,       ALG("\"HS256\""),                                                       GOOD,"alg is not RS256",                                                          0},
    {"confusion: the JWK",                HMAC_JWK,       ALG("\"HS256\""),                                                       GOOD,"alg is not RS256",                                                          0},
    {"confusion: the PEM, no kid",        HMAC_PEM,       HS(""),                                                                 GOOD,"signature does not hold",                                                   0},
    {"confusion: the PEM, alg kept",      HMAC_PEM,       HEAD(""),                                                               GOOD,"signature does not hold",
     0},
    {"confusion: the secret on RSA",      SECRET_ON_RSA,  HEAD(""),                                                               GOOD,
     "signature does not hold",0},
    {"confusion: RSA on the secret",      WELL,           HS(""),                                                                 GOOD,"signature does not hold",                                                   0},
    {"no key: an empty secret",           HMAC_EMPTY,     HS(""),                                                                 GOOD,"signature does not hold",                                                   0},
    {"no key: an unknown kid",            HMAC_EMPTY,     HS(",\"kid\":\"x\""),                                                   GOOD,"names no key",                                                              0},

    {"kid: a path",                       WELL,           KID("\"../../dev/null\""),                                              GOOD,"kid is not",                                                                0},
    {"kid: a query",                      WELL,           KID("\"x' OR '1'='1\""),                                                GOOD,"kid is not",                                                                0},
    {"kid: a NUL",                        WELL,           KID("\"RS256\\u0000\""),                                                GOOD,"kid is not",                                                                0},
    {"kid: a line end",                   WELL,           KID("\"RS256\\n\""),                                                    GOOD,"kid is not",                                                                0},
    {"kid: empty",                        WELL,           KID("\"\""),                                                            GOOD,"kid is not",                                                                0},
    {"kid: a number",                     WELL,           KID("7"),                                                               GOOD,"kid is not",                                                                0},
    {"kid: null",                         WELL,           KID("null"),                                                            GOOD,"kid is not",                                                                0},
    {"kid: an array",                     WELL,           KID("[\"RS256\"]"),                                                     GOOD,"kid is not",                                                                0},
    {"kid: 65 characters",                WELL,
     KID("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),                                                GOOD,
     "kid is not",0},
    {"kid: another case",                 WELL,           KID("\"rs256\""),                                                       GOOD,"names no key",                                                              0},
    {"kid: unknown",                      WELL,           KID("\"RS25\""),                                                        GOOD,"names no key",                                                              0},
    {"kid: of another key",               WELL,           "{\"alg\":\"RS384\",\"kid\":\"RS384\"}",                                GOOD,
     "signature does not hold",0},
    {"kid: twice",                        WELL,           HEAD(",\"kid\":\"PS256\""),                                             GOOD,"small JSON object",                                                         0},

    {"keys of its own: jku",              WELL,           HEAD(",\"jku\":\"https://evil.example/k\""),                            GOOD,
     "jku",0},
    {"keys of its own: jwk",              WELL,           HEAD(",\"jwk\":{\"kty\":\"RSA\"}"),                                     GOOD,"jwk",                                                                       0},
    {"keys of its own: x5u",              WELL,           HEAD(",\"x5u\":\"https://evil.example/c\""),                            GOOD,
     "x5u",0},
    {"keys of its own: x5c",              WELL,           HEAD(",\"x5c\":[\"AA==\"]"),                                            GOOD,"x5c",                                                                       0},
    {"keys of its own: the name escaped", WELL,           HEAD(",\"\\u006ajwk\":1"),                                              GOOD,
     "escapes",0},
    {"extensions: crit",                  WELL,           HEAD(",\"crit\":[\"exp\"]"),                                            GOOD,"crit",                                                                      0},
    {"extensions: an empty crit",         WELL,           HEAD(",\"crit\":[]"),                                                   GOOD,"crit",                                                                      0},
    {"extensions: b64",                   WELL,           HEAD(",\"b64\":false"),                                                 GOOD,"b64",                                                                       0},
    {"typ: another kind of JWT",          WELL,           HEAD(",\"typ\":\"secevent+jwt\""),                                      GOOD,"typ",                                                                       0},
    {"typ: an identity token's",          WELL,           HEAD(",\"typ\":\"dpop+jwt\""),                                          GOOD,"typ",                                                                       0},
    {"typ: no text",                      WELL,           HEAD(",\"typ\":null"),                                                  GOOD,"typ",                                                                       0},

    {"signature: another key",            ANOTHER_KEY,    HEAD(""),                                                               GOOD,"signature does not hold",                                                   0},
    {"signature: zeros",                  ZEROS,          HEAD(""),                                                               GOOD,"signature does not hold",                                                   0},
    {"signature: empty",                  NOTHING,        HEAD(""),                                                               GOOD,"three parts",                                                               0},
    {"signature: cut",                    CUT,            HEAD(""),                                                               GOOD,"signature does not hold",                                                   0},
    {"signature: longer",                 LONGER,         HEAD(""),                                                               GOOD,"signature does not hold",                                                   0},
    {"signature: another payload's",      OTHER_PAYLOAD,  HEAD(""),                                                               GOOD,
     "signature does not hold",0},
    {"signature: HMAC cut",               HMAC_CUT,       HS(""),                                                                 GOOD,"signature does not hold",                                                   0},

    {"exp: missing",                      WELL,           HEAD(""),                                                               "{\"sub\":\"42\"," ISS ",\"aud\":\"app\"}",
     "no \"exp\"",0},
    {"exp: text",                         WELL,           HEAD(""),                                                               CLAIMS("\"42\"","\"1700000600\"",                                                            ""),
     "\"exp\" is not a number", 0},
    {"exp: a fraction",                                  WELL,                                                HEAD(""),                                                                                                      CLAIMS("\"42\"","1700000600.5",""),
     "not an integer", 0},
    {"exp: an exponent",                                WELL,                                    HEAD(""),                                                                                                         CLAIMS("\"42\"","1.7000006e9",""),
     "not an integer", 0},
    {"exp: negative",                    WELL,                     HEAD(""),CLAIMS("\"42\"","-1",""),"out of range", 0},
    {"exp: 2^63",            WELL,HEAD(""),                                                                      CLAIMS("\"42\"","9223372036854775808",                                                         ""),                                                                       "payload",
     0},
    {"exp: 2^63-1",                                   WELL,                                       HEAD(""),                                                                                              CLAIMS("\"42\"","9223372036854775807",""),
     "out of range", 0},
    {"exp: 1e999",                          WELL,                                                   HEAD(""),                                                                                                                         CLAIMS("\"42\"","1e999",""),"payload", 0},
    {"exp: null",              WELL,                         HEAD(""),                                                                                                              CLAIMS("\"42\"","null",""),"\"exp\" is not a number",
     0},
    {"exp: true",                           WELL,HEAD(""),CLAIMS("\"42\"","true",""),                                                   "\"exp\" is not a number",
     0},
    {"exp: twice",                         WELL,                      HEAD(""),                                                            CLAIMS("\"42\"","1",",\"exp\":1700000600"),
     "payload", 0},
    {"exp: over, with the leeway",                                   WELL,                                                 HEAD(""),                                                                                                             CLAIMS("\"42\"","1699999970",""),
     "ended 30 s ago", REFUSAL_EXPIRED},
    {"exp: more than a day ahead",                                WELL,                     HEAD(""),                                                                                                                           CLAIMS("\"42\"","1700086431",""),
     "ahead", 0},
    {"nbf: ahead of the leeway",                    WELL,                               HEAD(""),
     CLAIMS("\"42\"","1700000600",",\"nbf\":1700000031"),"not valid for another",
     REFUSAL_NOT_YET},
    {"nbf: text",WELL,HEAD(""),CLAIMS("\"42\"","1700000600",",\"nbf\":\"1\""),
     "\"nbf\" is not a number", 0},
    {"iat: text",                                   WELL,                      HEAD(""),                                                         CLAIMS("\"42\"","1700000600",",\"iat\":\"1\""),
     "\"iat\" is not a number", 0},

    {"iss: missing",                             WELL,                                          HEAD(""),
     "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":\"app\"}","iss",0},
    {"iss: another",                       WELL,               HEAD(""),
     "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":\"app\",\"iss\":\"https://"
     "id.example.evil\"}","iss",0},
    {"iss: an array",                           WELL,                                                                        HEAD(""),
     "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":\"app\",\"iss\":[\"https://"
     "id.example\"]}",                                                                                                                                                                                              "iss",0},
    {"aud: missing",                         WELL, HEAD(""),                                          "{\"sub\":\"42\",\"exp\":1700000600," ISS "}","aud",
     0                                                                                                                                                                                                               },
    {"aud: another",                                  WELL,                                                HEAD(""),
     "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":\"apps\"," ISS "}","aud",0},
    {"aud: an array without it",                                  WELL,                                                HEAD(""),
     "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":[\"a\",\"b\"]," ISS "}","aud",0},
    {"aud: an object",                                  WELL,                                                HEAD(""),
     "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":{\"app\":1}," ISS "}","aud",0},
    {"aud: a backend's too",                                  WELL,                                                HEAD(""),
     "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":[\"app\",\"sidecast:publish\"]," ISS "}",
     "backend",0},

    {"sub: missing",                                   WELL,                                                 HEAD(""),                                                                                                          "{\"exp\":1700000600,\"aud\":\"app\"," ISS "}",
     "sub",0},
    {"sub: empty",                                  WELL,                                                HEAD(""),                                                                                             CLAIMS("\"\"","1700000600",""),"sub", 0},
    {"sub: a control character",                                  WELL,                                                HEAD(""),                                                                                                       CLAIMS("\"a\\nb\"","1700000600",""),
     "sub", 0},
    {"sub: a NUL",                                  WELL,                                                HEAD(""),                                                                                                 CLAIMS("\"admin\\u0000x\"","1700000600",""),
     "payload", 0},
    {"sub: a fraction",                                  WELL,                                                HEAD(""),                                                                                                         CLAIMS("1.5","1700000600",""),"sub", 0},
    {"sub: an array",                                  WELL,                                                HEAD(""),                                                                                                           CLAIMS("[\"42\"]","1700000600",  ""),"sub", 0},
    {"sub: not UTF-8",                                WELL,                                         HEAD(""),                                                                                                              CLAIMS("\"\xff\"","1700000600",""),         "payload",
     0},
    {"sub: half a surrogate pair",                 WELL,                   HEAD(""),
     CLAIMS("\"\\ud800\"","1700000600",""),"payload", 0},
    {"sub: twice",WELL,HEAD(""),CLAIMS("\"1\"","1700000600",",\"sub\":\"42\""),
     "payload", 0},
    {"sub: twice, one escaped",                                   WELL,                                 HEAD(""),
     CLAIMS("\"1\"","1700000600",",\"\\u0073ub\":\"42\""),"payload", 0},

    {"depth: nine levels",                              WELL,                                           HEAD(""),
     CLAIMS("\"42\"","1700000600",",\"x\":[[[[[[[[1]]]]]]]]"),                             "payload", 0},
    {"payload: an array",                       WELL,                                  HEAD(""),                                                                                                   "[" GOOD "]",                             "payload",                                                                                                       0                                                                                                },
    {"payload: text behind",                           WELL,HEAD(""),GOOD "x","payload",0},
    {"payload: a token inside",        WELL,  HEAD(",\"cty\":\"JWT\""),
     "eyJhbGciOiJub25lIn0.e30.","payload",                                                 0                                    },
    {"header: no object",                                  WELL,                                                "[\"RS256\"]",                                                                                                           GOOD,"small JSON object",      0                                                             },
    {"base64: padded",                 BASE64_PADDED,                                           HEAD(""),                                                                                                                GOOD,"base64url",0},
    {"base64: spare bits",                      BASE64_SPARE,                        HEAD(""),                                                                      GOOD,                                                   "base64url",                                                                                                                                                                                                                                                                                                                                                                               0                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           },
    {"base64: the other alphabet",  BASE64_PLAIN,HEAD(""),                                                                                                             GOOD,"base64url",                                                                                                                          0                                                          },
    {"base64: a line end",                                   BASE64_BLANK,                               HEAD(""),                                                                           GOOD,"base64url",0},
    {"shape: four parts",                                   FOURTH_PART,                            HEAD(""),                                                                    GOOD,"three parts", 0                                                 },
    {"shape: a blank behind",                                   BLANK_BEHIND,                         HEAD(""),                                                                                    GOOD,"base64url",0                                    },
};
/* clang-format on */

#endif
