/* TLS by the OpenSSL that Python's own ssl module has: nothing of it is needed to build this, or linked with it. */
#ifndef BAONET_TLS_H
#define BAONET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tls_keys; /* a CA, a certificate and its key, for any number of sessions */
struct tls;      /* one session */

#define TLS_REASON 160
struct tls_error {
    char reason[TLS_REASON]; /* OpenSSL's word for it */
    long verify;             /* X509_V_ERR_..., 0: it is not of the other's certificate */
};
enum tls_progress { TLS_DONE, TLS_READS, TLS_WRITES, TLS_ENDED, TLS_WRONG };

/* Looks for all functions that are needed; `library` is a file that has them or is linked with who has. NULL: the name of one that
 * is missing is in the error. */
struct tls_keys *tls_keys_of(const char *library, const char *ca, const char *certificate, const char *key, struct tls_error *error);
void tls_keys_free(struct tls_keys *keys);

/* Over a connected socket that does not wait. `called`: the other end has called. NULL: no memory. The keys outlive it. */
struct tls *tls_of(struct tls_keys *keys, int fd, bool called);
void tls_free(struct tls *tls);

/* TLS_READS, TLS_WRITES: it can go on when that is possible. */
enum tls_progress tls_shake(struct tls *tls, struct tls_error *error);

/* What the subject of the other's certificate says, after the handshake: the text of its only part of that kind. False: it has
 * none, or several, or it is too long. */
enum { TLS_NAME = 13, TLS_UNIT = 18 };
bool tls_subject(struct tls *tls, int kind, char *text, size_t size);

/* Why that was TLS_WRONG which was called last; no word for it: the connection has failed. */
void tls_explain(struct tls *tls, struct tls_error *error);

/* `length` of 1 or more. `done`: bytes. */
enum tls_progress tls_read(struct tls *tls, void *data, size_t length, size_t *done);
enum tls_progress tls_write(struct tls *tls, const void *data, size_t length, size_t *done);

/* Something has come that `tls_read` has not given, and that the socket does not tell of. */
bool tls_pending(struct tls *tls);

#endif
