/*
 * The functions are looked up in the libraries that Python's ssl module has brought: so there is one OpenSSL in a process, the
 * one that its distribution looks after. Their declarations are here, in OpenSSL 1.1.1 and 3 they are the same.
 */
#include "tls.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_PEM 1
#define VERIFY_BOTH 3 /* SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT */
#define STRICT 0x20ul /* X509_V_FLAG_X509_STRICT */
#define TLS_1_3 0x0304
#define CTRL_MODE 33
#define CTRL_READ_AHEAD 41
#define CTRL_CACHE 44
#define CTRL_LEAST_VERSION 123
#define MODES 3 /* SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER */
#define SECURITY_LEVEL 2
#define BUFFER (1u << 18)
enum { WANT_READ = 2, WANT_WRITE = 3, ZERO_RETURN = 6 };

#define FUNCTIONS(X)                                                    \
    X(const void *, TLS_method, (void))                                 \
    X(void *, SSL_CTX_new, (const void *))                              \
    X(void, SSL_CTX_free, (void *))                                     \
    X(long, SSL_CTX_ctrl, (void *, int, long, void *))                  \
    X(int, SSL_CTX_load_verify_locations, (void *, const char *, const char *)) \
    X(int, SSL_CTX_use_certificate_chain_file, (void *, const char *))  \
    X(int, SSL_CTX_use_PrivateKey_file, (void *, const char *, int))    \
    X(int, SSL_CTX_check_private_key, (const void *))                   \
    X(void, SSL_CTX_set_verify, (void *, int, void *))                  \
    X(void *, SSL_CTX_get0_param, (void *))                             \
    X(int, X509_VERIFY_PARAM_set_flags, (void *, unsigned long))        \
    X(void, SSL_CTX_set_security_level, (void *, int))                  \
    X(int, SSL_CTX_set_num_tickets, (void *, size_t))                   \
    X(void, SSL_CTX_set_default_read_buffer_len, (void *, size_t))      \
    X(void, SSL_CTX_set_default_passwd_cb, (void *, int (*)(char *, int, int, void *))) \
    X(void *, SSL_new, (void *))                                        \
    X(void, SSL_free, (void *))                                         \
    X(int, SSL_set_fd, (void *, int))                                   \
    X(void, SSL_set_accept_state, (void *))                             \
    X(void, SSL_set_connect_state, (void *))                            \
    X(int, SSL_do_handshake, (void *))                                  \
    X(int, SSL_get_error, (const void *, int))                          \
    X(long, SSL_get_verify_result, (const void *))                      \
    X(int, SSL_read_ex, (void *, void *, size_t, size_t *))             \
    X(int, SSL_write_ex, (void *, const void *, size_t, size_t *))      \
    X(int, SSL_has_pending, (const void *))                             \
    X(void, ERR_clear_error, (void))                                    \
    X(unsigned long, ERR_get_error, (void))                             \
    X(const char *, ERR_reason_error_string, (unsigned long))           \
    X(void *, X509_get_subject_name, (const void *))                    \
    X(int, X509_NAME_get_index_by_NID, (void *, int, int))              \
    X(int, X509_NAME_get_text_by_NID, (void *, int, char *, int))       \
    X(void, X509_free, (void *))

#define DECLARE(type, name, arguments) type(*name) arguments;
static struct {
    void *library;
    FUNCTIONS(DECLARE)
    void *(*get_peer)(const void *);
} openssl;

struct tls_keys {
    void *context;
};
struct tls {
    void *ssl;
};

static bool look(void **function, const char *name, struct tls_error *error) {
    *function = dlsym(openssl.library, name);
    if (!*function && error) snprintf(error->reason, sizeof error->reason, "no function %s", name);
    return *function;
}

static bool load(const char *library, struct tls_error *error) {
    if (openssl.library) return true;
    if (!(openssl.library = dlopen(library, RTLD_NOW | RTLD_LOCAL))) {
        snprintf(error->reason, sizeof error->reason, "no library %.140s", library);
        return false;
    }
    bool found = true;
#define LOOK(type, name, arguments) found = found && look((void **)&openssl.name, #name, error);
    FUNCTIONS(LOOK)
    found = found && (look((void **)&openssl.get_peer, "SSL_get1_peer_certificate", NULL) ||
                      look((void **)&openssl.get_peer, "SSL_get_peer_certificate", error));
    if (!found) dlclose(openssl.library), openssl.library = NULL;
    return found;
}

static void explain(struct tls_error *error, const void *ssl) {
    unsigned long number = openssl.ERR_get_error();
    const char *reason = number ? openssl.ERR_reason_error_string(number) : NULL;
    snprintf(error->reason, sizeof error->reason, "%s", reason ? reason : number ? "unknown error" : "");
    error->verify = ssl ? openssl.SSL_get_verify_result(ssl) : 0;
    openssl.ERR_clear_error();
}

static int no_password(char *buffer, int size, int writes, void *unused) {
    (void)buffer, (void)size, (void)writes, (void)unused;
    return 0; /* or OpenSSL would ask the terminal */
}

struct tls_keys *tls_keys_of(const char *library, const char *ca, const char *certificate, const char *key, struct tls_error *error) {
    *error = (struct tls_error){0};
    if (!load(library, error)) return NULL;
    openssl.ERR_clear_error();
    struct tls_keys *keys = calloc(1, sizeof *keys);
    void *context = keys ? openssl.SSL_CTX_new(openssl.TLS_method()) : NULL;
    if (!context) return free(keys), NULL;
    keys->context = context;
    openssl.SSL_CTX_ctrl(context, CTRL_MODE, MODES, NULL);
    openssl.SSL_CTX_ctrl(context, CTRL_READ_AHEAD, 1, NULL); /* a record in one call, not two */
    openssl.SSL_CTX_set_default_read_buffer_len(context, BUFFER);
    openssl.SSL_CTX_ctrl(context, CTRL_CACHE, 0, NULL);
    openssl.SSL_CTX_set_num_tickets(context, 0); /* who comes back shows its certificate again */
    openssl.SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    openssl.SSL_CTX_set_verify(context, VERIFY_BOTH, NULL);
    openssl.SSL_CTX_set_default_passwd_cb(context, no_password);
    bool good = openssl.SSL_CTX_ctrl(context, CTRL_LEAST_VERSION, TLS_1_3, NULL) &&
                openssl.X509_VERIFY_PARAM_set_flags(openssl.SSL_CTX_get0_param(context), STRICT) &&
                openssl.SSL_CTX_load_verify_locations(context, ca, NULL) &&
                openssl.SSL_CTX_use_certificate_chain_file(context, certificate) &&
                openssl.SSL_CTX_use_PrivateKey_file(context, key, FILE_PEM) && openssl.SSL_CTX_check_private_key(context);
    if (good) return keys;
    explain(error, NULL);
    tls_keys_free(keys);
    return NULL;
}

void tls_keys_free(struct tls_keys *keys) {
    if (!keys) return;
    openssl.SSL_CTX_free(keys->context);
    free(keys);
}

struct tls *tls_of(struct tls_keys *keys, int fd, bool called) {
    struct tls *tls = calloc(1, sizeof *tls);
    if (!tls) return NULL;
    tls->ssl = openssl.SSL_new(keys->context);
    if (!tls->ssl || !openssl.SSL_set_fd(tls->ssl, fd)) return tls_free(tls), NULL;
    (called ? openssl.SSL_set_accept_state : openssl.SSL_set_connect_state)(tls->ssl);
    return tls;
}

void tls_free(struct tls *tls) {
    if (!tls) return;
    if (tls->ssl) openssl.SSL_free(tls->ssl);
    free(tls);
}

static enum tls_progress progress(struct tls *tls, int result) {
    switch (openssl.SSL_get_error(tls->ssl, result)) {
    case WANT_READ: return TLS_READS;
    case WANT_WRITE: return TLS_WRITES;
    case ZERO_RETURN: return TLS_ENDED;
    default: return TLS_WRONG;
    }
}

void tls_explain(struct tls *tls, struct tls_error *error) { explain(error, tls->ssl); }

enum tls_progress tls_shake(struct tls *tls, struct tls_error *error) {
    openssl.ERR_clear_error();
    int result = openssl.SSL_do_handshake(tls->ssl);
    if (result == 1) return TLS_DONE;
    enum tls_progress found = progress(tls, result);
    if (found == TLS_WRONG) explain(error, tls->ssl);
    return found;
}

bool tls_subject(struct tls *tls, int kind, char *text, size_t size) {
    void *certificate = openssl.get_peer(tls->ssl);
    if (!certificate) return false;
    void *subject = openssl.X509_get_subject_name(certificate);
    int first = openssl.X509_NAME_get_index_by_NID(subject, kind, -1);
    bool only = first >= 0 && openssl.X509_NAME_get_index_by_NID(subject, kind, first) < 0;
    int needed = only ? openssl.X509_NAME_get_text_by_NID(subject, kind, NULL, 0) : -1;
    bool fits = needed >= 0 && (size_t)needed < size && size <= INT_MAX;
    int length = fits ? openssl.X509_NAME_get_text_by_NID(subject, kind, text, (int)size) : -1;
    openssl.X509_free(certificate);
    return length >= 0 && strlen(text) == (size_t)length;
}

enum tls_progress tls_read(struct tls *tls, void *data, size_t length, size_t *done) {
    openssl.ERR_clear_error();
    return openssl.SSL_read_ex(tls->ssl, data, length, done) ? TLS_DONE : progress(tls, 0);
}

enum tls_progress tls_write(struct tls *tls, const void *data, size_t length, size_t *done) {
    openssl.ERR_clear_error();
    return openssl.SSL_write_ex(tls->ssl, data, length, done) ? TLS_DONE : progress(tls, 0);
}

bool tls_pending(struct tls *tls) { return openssl.SSL_has_pending(tls->ssl); }
