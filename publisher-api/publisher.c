enum {
    PUBLISHER_API_EMPTY
};
