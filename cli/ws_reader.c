/* Reading frames of a server: see the header. */
#include "cli/ws_reader.h"

#include "proto/utf8.h"

enum {
    FIN = 0x80,
    RESERVED = 0x70,
    OPCODE = 0x0f,
    MASKED = 0x80,
    LEN = 0x7f,
    CONTINUATION = 0,
    NO_CODE = 1005
};

struct frame {
    struct ws_head head;
    struct slice data;
};

void ws_reader_init(struct ws_reader *reader)
{
    *reader = (struct ws_reader){
        .input = {.max = 2 * WS_READER_MESSAGE_BYTES},
        .message = {.max = WS_READER_MESSAGE_BYTES},
    };
}

void ws_reader_finish(struct ws_reader *reader)
{
    buf_finish(&reader->input);
    buf_finish(&reader->message);
}

static void drop_consumed(struct ws_reader *reader)
{
    buf_consume(&reader->input, reader->consumed);
    reader->consumed = 0;
}

void ws_reader_feed(struct ws_reader *reader, struct slice bytes)
{
    drop_consumed(reader);
    buf_add(&reader->input, bytes);
}

static bool is_control(unsigned opcode)
{
    return opcode >= WS_OP_CLOSE;
}

static bool is_known(unsigned opcode)
{
    return opcode <= WS_OP_BINARY || (is_control(opcode) && opcode <= WS_OP_PONG);
}

enum status ws_head_read(struct slice bytes, struct ws_head *head)
{
    if (bytes.len < 2)
        return ST_AGAIN;
    unsigned first = (unsigned char)bytes.ptr[0], second = (unsigned char)bytes.ptr[1];

    *head = (struct ws_head){
        .is_final = first & FIN,
        .opcode = first & OPCODE,
        .len = second & LEN,
        .header_len = 2,
    };
    /* No extension was asked for, and a server does not mask. */
    if ((first & RESERVED) || (second & MASKED) || !is_known(head->opcode))
        return ST_BAD_PACKET;
    if (is_control(head->opcode) && (!head->is_final || head->len > WS_CONTROL_BYTES))
        return ST_BAD_PACKET;
    if (head->len <= WS_CONTROL_BYTES)
        return ST_OK;

    size_t bytes_of_len = head->len == LEN ? 8 : 2;
    if (bytes.len < 2 + bytes_of_len)
        return ST_AGAIN;
    head->len = 0;
    for (size_t i = 0; i < bytes_of_len; i++)
        head->len = head->len << 8 | (unsigned char)bytes.ptr[2 + i];
    head->header_len = 2 + bytes_of_len;
    return head->len > WS_READER_MESSAGE_BYTES ? ST_TOO_LARGE : ST_OK;
}

static enum status read_frame(struct ws_reader *reader, struct frame *frame)
{
    struct slice rest = slice_from(buf_slice(&reader->input), reader->consumed);
    enum status st = ws_head_read(rest, &frame->head);

    if (st)
        return st;
    if (rest.len - frame->head.header_len < frame->head.len)
        return ST_AGAIN;
    frame->data =
        slice_first(slice_from(rest, frame->head.header_len), (size_t)frame->head.len);
    reader->consumed += frame->head.header_len + (size_t)frame->head.len;
    return ST_OK;
}

static enum status take_control(const struct frame *frame, struct ws_message *message)
{
    *message = (struct ws_message){.opcode = (enum ws_opcode)frame->head.opcode,
                                   .data = frame->data};
    if (frame->head.opcode != WS_OP_CLOSE)
        return ST_OK;
    message->close_code = NO_CODE;
    if (frame->data.len == 0)
        return ST_OK;
    if (frame->data.len == 1)
        return ST_BAD_PACKET;
    message->close_code = (unsigned)(unsigned char)frame->data.ptr[0] << 8 |
                          (unsigned char)frame->data.ptr[1];
    message->data = slice_from(frame->data, 2);
    return utf8_is_valid(message->data) ? ST_OK : ST_BAD_PACKET;
}

/* ST_AGAIN: the frame was a fragment, and more follow. */
static enum status take_data(struct ws_reader *reader, const struct frame *frame,
                             struct ws_message *message)
{
    if ((frame->head.opcode == CONTINUATION) != reader->is_in_message)
        return ST_BAD_PACKET;
    if (frame->head.opcode != CONTINUATION) {
        buf_clear(&reader->message);
        reader->opcode = (enum ws_opcode)frame->head.opcode;
    }
    reader->is_in_message = !frame->head.is_final;
    buf_add(&reader->message, frame->data);
    enum status st = buf_status(&reader->message);
    if (st)
        return st;
    if (!frame->head.is_final)
        return ST_AGAIN;

    *message = (struct ws_message){.opcode = reader->opcode,
                                   .data = buf_slice(&reader->message)};
    if (reader->opcode == WS_OP_TEXT && !utf8_is_valid(message->data))
        return ST_BAD_PACKET;
    return ST_OK;
}

enum status ws_reader_next(struct ws_reader *reader, struct ws_message *message)
{
    struct frame frame;

    drop_consumed(reader);
    if (buf_status(&reader->input))
        return buf_status(&reader->input);
    for (;;) {
        enum status st = read_frame(reader, &frame);
        if (st)
            return st;
        if (is_control(frame.head.opcode))
            return take_control(&frame, message);
        st = take_data(reader, &frame, message);
        if (st != ST_AGAIN)
            return st;
    }
}
