/* The table of algorithms: see the header. */
#include "bridge/token_alg.h"

static const struct token_alg_row algs[TOKEN_ALG_COUNT] = {
    [TOKEN_HS256] = {"HS256", TOKEN_FAMILY_HMAC,    "SHA256", NULL,         NULL,      32 },
    [TOKEN_HS384] = {"HS384", TOKEN_FAMILY_HMAC,    "SHA384", NULL,         NULL,      48 },
    [TOKEN_HS512] = {"HS512", TOKEN_FAMILY_HMAC,    "SHA512", NULL,         NULL,      64 },
    [TOKEN_RS256] = {"RS256", TOKEN_FAMILY_RSA,     "SHA256", NULL,         NULL,      0  },
    [TOKEN_RS384] = {"RS384", TOKEN_FAMILY_RSA,     "SHA384", NULL,         NULL,      0  },
    [TOKEN_RS512] = {"RS512", TOKEN_FAMILY_RSA,     "SHA512", NULL,         NULL,      0  },
    [TOKEN_PS256] = {"PS256", TOKEN_FAMILY_RSA_PSS, "SHA256", NULL,         NULL,      0  },
    [TOKEN_PS384] = {"PS384", TOKEN_FAMILY_RSA_PSS, "SHA384", NULL,         NULL,      0  },
    [TOKEN_PS512] = {"PS512", TOKEN_FAMILY_RSA_PSS, "SHA512", NULL,         NULL,      0  },
    [TOKEN_ES256] = {"ES256", TOKEN_FAMILY_EC,      "SHA256", "prime256v1", "P-256",   64 },
    [TOKEN_ES384] = {"ES384", TOKEN_FAMILY_EC,      "SHA384", "secp384r1",  "P-384",   96 },
    [TOKEN_ES512] = {"ES512", TOKEN_FAMILY_EC,      "SHA512", "secp521r1",  "P-521",   132},
    [TOKEN_EDDSA] = {"EdDSA", TOKEN_FAMILY_ED25519, NULL,     NULL,         "Ed25519", 64 },
};

const struct token_alg_row *token_alg_row(enum token_alg alg)
{
    return &algs[alg];
}

bool token_alg_find(struct slice name, enum token_alg *alg)
{
    for (int i = 0; i < TOKEN_ALG_COUNT; i++) {
        if (slice_is(name, algs[i].name)) {
            *alg = (enum token_alg)i;
            return true;
        }
    }
    return false;
}

bool token_algs_read(struct slice list, unsigned *set, struct slice *bad)
{
    enum token_alg alg;

    *set = 0;
    while (list.len > 0) {
        slice_cut(list, ',', bad, &list);
        *bad = slice_trim(*bad);
        if (!token_alg_find(*bad, &alg))
            return false;
        *set |= TOKEN_ALG_BIT(alg);
    }
    return true;
}
