/*
 * An HTTP/1.1 answer, taken apart as its bytes come in: status line, header lines, and a body that
 * ends by Content-Length, by chunks, or with the connection. Pure: no socket, no clock, no heap.
 *
 *     answer_init(&answer, sink, context);
 *     while (!answer.is_complete && (size = read(...)) > 0)
 *         if (!answer_take(&answer, data, size)) ... answer.wrong says why
 *     at the connection's end: answer_end(&answer)
 *
 * It is as strict as the daemon's server is regular: whatever that one never writes is an error.
 */
#ifndef SWIM_CTL_ANSWER_H
#define SWIM_CTL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the head, line ends included; of one of its lines. */
#define ANSWER_HEAD_MAX 16384
#define ANSWER_LINE_MAX 1024
/* Of a body: far above the table of the largest cluster. */
#define ANSWER_BODY_MAX (UINT64_C(512) << 20)

/* Takes a part of the body; false ends it all (no memory). */
typedef bool answer_sink(void *context, const char *data, size_t size);

enum answer_phase {
    ANSWER_STATUS,
    ANSWER_HEADERS,
    ANSWER_SIZED,      /* `left` bytes of the body are to come */
    ANSWER_UNSIZED,    /* the body ends with the connection */
    ANSWER_CHUNK_SIZE, /* the line in front of a chunk */
    ANSWER_CHUNK,      /* `left` bytes of a chunk are to come */
    ANSWER_CHUNK_END,  /* the empty line behind it */
    ANSWER_TRAILERS,
};

struct answer {
    int status; /* 200..599, once the head is there; else 0 */
    bool has_head;
    bool is_complete;
    const char *wrong; /* NULL, or why answer_take returned false (static) */
    enum answer_phase phase;
    bool is_chunked;
    bool has_length;
    uint64_t left;
    uint64_t body_size; /* so far */
    size_t head_size;
    size_t line_size;
    char line[ANSWER_LINE_MAX];
    answer_sink *sink;
    void *context;
};

void answer_init(struct answer *answer, answer_sink *sink, void *context);
/* False: these bytes are no HTTP of ours, and answer->wrong says why. Not to be called again then,
 * nor once it is complete. Bytes beyond the end of the answer are wrong, too: nothing was asked
 * that they could answer. */
bool answer_take(struct answer *answer, const char *data, size_t size);
/* The connection has ended. False: in the middle of the answer. */
bool answer_end(struct answer *answer);

#endif
