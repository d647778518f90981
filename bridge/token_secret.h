/*
 * Is a text fit to be an HMAC secret? Public keys are not (who knows one could sign), nor
 * is what stands in everybody's documentation. Any thread.
 */
#ifndef BRIDGE_TOKEN_SECRET_H
#define BRIDGE_TOKEN_SECRET_H

#include "proto/slice.h"

enum {
    TOKEN_SECRET_MIN_BYTES = 32,
    TOKEN_SECRET_MAX_BYTES = 4096
};

/*
 * NULL: fit. Else a few words to stand after the setting's name: "has less than 32
 * bytes". Key material is found as PEM, DER, bare base64 or JWK, also behind blanks.
 */
const char *token_secret_fault(struct slice secret);

#endif
