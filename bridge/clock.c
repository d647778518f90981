enum {
    E
};
