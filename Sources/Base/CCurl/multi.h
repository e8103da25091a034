// libcurl's multi interface, for courierd: many transfers in one loop that is not libcurl's own.
#pragma once

#include <curl/curl.h>
#include <netinet/in.h>
#include <nss.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/// Once per process, before anything else. An environment variable would make libcurl write the keys of every TLS
/// session into a file.
static inline CURLcode bh_curl_start(void) {
    unsetenv("SSLKEYLOGFILE");
    // Names are looked up by what the C library has in it, whatever nsswitch.conf says: no module of the host is loaded.
    if (__nss_configure_lookup("hosts", "files dns") != 0) return CURLE_FAILED_INIT;
    return curl_global_init(CURL_GLOBAL_DEFAULT);
}

/// `receive_header` gets a line of the answer's head, `receive` a piece of its body, `open` the address that is about
/// to be connected to; each with `context`.
static inline CURLcode bh_curl_transfer_callbacks(
    CURL *handle, void *context, curl_write_callback receive_header, curl_write_callback receive,
    curl_opensocket_callback open) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, receive_header);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open);
    return code;
}

/// A request's body; it is copied.
static inline CURLcode bh_curl_body(CURL *handle, const void *bytes, size_t size) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POST, 1L);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, size ? bytes : "");
    return code;
}

/// A request's body of this size, which `read` gives piece by piece.
static inline CURLcode bh_curl_upload(CURL *handle, void *context, int64_t size, curl_read_callback read) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POST, 1L);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_READDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_READFUNCTION, read);
    return code;
}

/// The certificates that are believed, in place of the system's; copied. PEM.
static inline CURLcode bh_curl_authorities(CURL *handle, const void *bytes, size_t size) {
    struct curl_blob blob = {(void *)bytes, size, CURL_BLOB_COPY};
    CURLcode code = curl_easy_setopt(handle, CURLOPT_CAINFO, NULL);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_CAPATH, NULL);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_CAINFO_BLOB, &blob);
    return code;
}

/// Bytes of the request that went out; 0 while there was no connection that they could have gone over.
static inline long bh_curl_sent(CURL *handle) {
    long size = 0;
    return curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &size) == CURLE_OK ? size : 0;
}

static inline CURLMcode bh_curl_multi_number(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode bh_curl_multi_callbacks(
    CURLM *multi, void *context, curl_socket_callback socket, curl_multi_timer_callback timer) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
    return code;
}

/// The next transfer that has ended, and how; NULL if there is none.
static inline CURL *bh_curl_ended(CURLM *multi, CURLcode *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}

/// The bytes of an IP address: 4, 16, or 0 for what is none.
static inline int bh_curl_address(const struct curl_sockaddr *address, uint8_t bytes[16]) {
    if (address->family == AF_INET && address->addrlen >= sizeof(struct sockaddr_in)) {
        memcpy(bytes, &((const struct sockaddr_in *)&address->addr)->sin_addr, 4);
        return 4;
    }
    if (address->family == AF_INET6 && address->addrlen >= sizeof(struct sockaddr_in6)) {
        memcpy(bytes, &((const struct sockaddr_in6 *)&address->addr)->sin6_addr, 16);
        return 16;
    }
    return 0;
}

static inline curl_socket_t bh_curl_socket(const struct curl_sockaddr *address) {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// --- Headers, of which one holds a token ---

#define BH_CURL_TOKEN_BYTES 4096

/// Adds `name: prefix token` to the list. NULL if it does not fit; the list is as it was then.
static inline struct curl_slist *bh_curl_token(
    struct curl_slist *list, const char *start, const void *token, size_t size) {
    char line[512 + BH_CURL_TOKEN_BYTES + 1];
    size_t length = strlen(start);
    if (length > 512 || size > BH_CURL_TOKEN_BYTES) return NULL;
    memcpy(line, start, length);
    memcpy(line + length, token, size);
    line[length + size] = 0;
    struct curl_slist *longer = curl_slist_append(list, line);
    explicit_bzero(line, sizeof line);
    return longer;
}

/// Overwrites every line, and gives the list back.
static inline void bh_curl_forget(struct curl_slist *list) {
    for (struct curl_slist *line = list; line; line = line->next) explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(list);
}
