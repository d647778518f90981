/*
 * The directory's counter: a gateway's request in bytes, against the tables, gives the
 * answer in bytes. Loop thread only; knows no sockets.
 */
#ifndef BRIDGE_DIRECTORY_SERVE_H
#define BRIDGE_DIRECTORY_SERVE_H

#include "bridge/directory.h"
#include "proto/directory_wire.h"

/*
 * Who keeps what gateways publish. `keep` borrows both; what has become of the
 * event is written at `at` of the answer by directory_result_settle, before the answer
 * leaves. Of one that is not kept the directory is told: directory_refuse.
 */
struct directory_keeper {
    void (*keep)(void *ctx, const struct directory_request *request,
                 const struct directory_op *op, size_t at);
    /*
     * What directory_read says of this session by now is to be kept for the next start,
     * before the answer leaves; nothing: it is over. NULL: nobody keeps them.
     */
    directory_gone_fn *record;
    void *ctx;
};

/* Borrows `bytes`. ST_BAD_PACKET: it deserves no answer. Else check buf_status. */
enum status directory_serve(struct directory *directory, struct slice bytes,
                            uint64_t now_ms, const struct directory_keeper *keeper,
                            struct buf *out);

/* Append a put of the session, a kept one; check buf_status. */
void directory_encode_put(const struct engine_session *session, struct buf *out);
void directory_encode_kept(const struct directory_kept *kept, struct buf *out);

/*
 * Fills `session` from the wire; its rooms go to a new array in `*rooms` (free). Lends
 * the texts from where `wire` has them. False when out of memory.
 */
bool directory_decode_session(const struct wire_session *wire,
                              struct engine_session *session,
                              struct engine_membership **rooms);

#endif
