enum {
    GW_EMPTY
};
