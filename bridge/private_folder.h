/*
 * Folders that this user alone may enter: where the sockets stand by which the processes
 * of one machine meet. Whoever gets into one is believed, so it is looked at before use.
 * Any thread.
 */
#ifndef BRIDGE_PRIVATE_FOLDER_H
#define BRIDGE_PRIVATE_FOLDER_H

enum private_folder {
    FOLDER_IS_GOOD,
    FOLDER_IS_ABSENT,
    FOLDER_IS_UNSEEN, /* the system does not let us look */
    FOLDER_IS_LINK,   /* it could be turned to another one */
    FOLDER_IS_FOREIGN,
    FOLDER_IS_OPEN,    /* to others */
    FOLDER_IS_REFUSED, /* it cannot be made */
    FOLDER_STATES,
};

enum private_folder private_folder_check(const char *path);
/* Makes it (0700) where it is absent, then looks. */
enum private_folder private_folder_make(const char *path);

#endif
