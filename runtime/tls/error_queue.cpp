// OpenSSL keeps a queue of errors for each thread, and whoever asks why a call
// on one connection did not succeed is told of what another one has left there.
// CAF serves all connections by one thread and does not empty the queue: when
// one node was killed, or a stranger said something that is no TLS, the hub
// took the next read of every other node for failed and closed it. So what CAF
// calls is ours, and begins with an empty queue. (SSL_accept and SSL_connect
// empty it themselves.)

#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace {

template <class Function>
Function of_openssl(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

} // namespace

extern "C" int SSL_read(SSL* ssl, void* buffer, int size) {
  static const auto read = of_openssl<int (*)(SSL*, void*, int)>("SSL_read");
  ERR_clear_error();
  return read(ssl, buffer, size);
}

extern "C" int SSL_write(SSL* ssl, const void* buffer, int size) {
  static const auto write
    = of_openssl<int (*)(SSL*, const void*, int)>("SSL_write");
  ERR_clear_error();
  return write(ssl, buffer, size);
}
