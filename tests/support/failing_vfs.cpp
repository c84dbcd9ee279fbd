#include "tests/support/failing_vfs.hpp"

namespace ao::test {
namespace {

/// Our file; the real one lies behind it in the same memory.
struct shim_file {
  sqlite3_file base;
  failing_vfs* owner;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

shim_file* shim(sqlite3_file* f) {
  return reinterpret_cast<shim_file*>(f);
}

sqlite3_file* real(sqlite3_file* f) {
  return shim(f)->real();
}

sqlite3_vfs* base_of(sqlite3_vfs*) {
  return sqlite3_vfs_find(nullptr);
}

int x_close(sqlite3_file* f) {
  return real(f)->pMethods->xClose(real(f));
}

int x_read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
  return real(f)->pMethods->xRead(real(f), to, n, at);
}

int x_write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
  auto rc = shim(f)->owner->verdict(failing_vfs::call::write);
  if (rc == SQLITE_OK)
    return real(f)->pMethods->xWrite(real(f), from, n, at);
  real(f)->pMethods->xWrite(real(f), from, n / 2, at);
  return rc;
}

int x_truncate(sqlite3_file* f, sqlite3_int64 size) {
  return real(f)->pMethods->xTruncate(real(f), size);
}

int x_sync(sqlite3_file* f, int flags) {
  auto rc = shim(f)->owner->verdict(failing_vfs::call::sync);
  return rc == SQLITE_OK ? real(f)->pMethods->xSync(real(f), flags) : rc;
}

int x_file_size(sqlite3_file* f, sqlite3_int64* size) {
  return real(f)->pMethods->xFileSize(real(f), size);
}

int x_lock(sqlite3_file* f, int level) {
  return real(f)->pMethods->xLock(real(f), level);
}

int x_unlock(sqlite3_file* f, int level) {
  return real(f)->pMethods->xUnlock(real(f), level);
}

int x_check_reserved_lock(sqlite3_file* f, int* out) {
  return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

int x_file_control(sqlite3_file* f, int op, void* arg) {
  return real(f)->pMethods->xFileControl(real(f), op, arg);
}

int x_sector_size(sqlite3_file* f) {
  return real(f)->pMethods->xSectorSize(real(f));
}

int x_device_characteristics(sqlite3_file* f) {
  return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

// Version 1: no shared memory, as exclusive locking needs none.
const sqlite3_io_methods methods = {
  1,
  x_close,
  x_read,
  x_write,
  x_truncate,
  x_sync,
  x_file_size,
  x_lock,
  x_unlock,
  x_check_reserved_lock,
  x_file_control,
  x_sector_size,
  x_device_characteristics,
  nullptr,
  nullptr,
  nullptr,
  nullptr,
  nullptr,
  nullptr,
};

int x_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags,
           int* out_flags) {
  auto* file = shim(f);
  file->owner = static_cast<failing_vfs*>(vfs->pAppData);
  auto* base = base_of(vfs);
  auto rc = base->xOpen(base, name, file->real(), flags, out_flags);
  file->base.pMethods = file->real()->pMethods ? &methods : nullptr;
  return rc;
}

int x_delete(sqlite3_vfs* vfs, const char* name, int sync_dir) {
  return base_of(vfs)->xDelete(base_of(vfs), name, sync_dir);
}

int x_access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  return base_of(vfs)->xAccess(base_of(vfs), name, flags, out);
}

int x_full_pathname(sqlite3_vfs* vfs, const char* name, int n, char* out) {
  return base_of(vfs)->xFullPathname(base_of(vfs), name, n, out);
}

} // namespace

failing_vfs::failing_vfs() {
  static std::atomic<int> made{0};
  name_ = "failing-" + std::to_string(++made);
  auto* base = sqlite3_vfs_find(nullptr);
  vfs_ = *base;
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.szOsFile = base->szOsFile + static_cast<int>(sizeof(shim_file));
  vfs_.xOpen = x_open;
  vfs_.xDelete = x_delete;
  vfs_.xAccess = x_access;
  vfs_.xFullPathname = x_full_pathname;
  sqlite3_vfs_register(&vfs_, 0);
}

failing_vfs::~failing_vfs() {
  sqlite3_vfs_unregister(&vfs_);
}

void failing_vfs::fail_at(call what, int n, int code, bool forever) {
  heal();
  code_ = code;
  forever_ = forever;
  at_[static_cast<int>(what)] = n;
}

void failing_vfs::heal() {
  for (auto i : {0, 1}) {
    counts_[i] = 0;
    at_[i] = 0;
  }
  failed_ = false;
}

int failing_vfs::calls(call what) const {
  return counts_[static_cast<int>(what)];
}

int failing_vfs::verdict(call what) {
  auto i = static_cast<int>(what);
  auto n = ++counts_[i];
  if (at_[i] == 0 || n < at_[i] || (n > at_[i] && !forever_))
    return SQLITE_OK;
  failed_ = true;
  return code_;
}

} // namespace ao::test
