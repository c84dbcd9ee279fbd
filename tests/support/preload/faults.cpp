// Preloaded into programs by `machine_faults`: sets their wall clock off, and
// lets their writes below the home fail, and kills the hub at a step. Only what
// our programs, SQLite and git call is covered; glibc's own inner calls do not
// pass through here.
#include "tests/support/machine_faults.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

ao::fault_page* map_page() {
  static ao::fault_page none{};
  const char* file = std::getenv("AO_FAULTS_PAGE");
  static auto open_file = next<int (*)(const char*, int, ...)>("open");
  int fd = file != nullptr ? open_file(file, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0)
    return &none;
  void* page = ::mmap(nullptr, sizeof(ao::fault_page), PROT_READ | PROT_WRITE,
                      MAP_SHARED, fd, 0);
  ::close(fd);
  return page == MAP_FAILED ? &none : static_cast<ao::fault_page*>(page);
}

ao::fault_page& page() {
  static auto* mapped = map_page();
  return *mapped;
}

std::int64_t clock_seconds() {
  return __atomic_load_n(&page().clock_seconds, __ATOMIC_RELAXED);
}

bool is_below_home(const char* path) {
  const char* home = std::getenv("AO_FAULTS_HOME");
  if (home == nullptr || path == nullptr)
    return false;
  auto size = std::strlen(home);
  return std::strncmp(path, home, size) == 0
    && (path[size] == '/' || path[size] == '\0');
}

bool is_below_home(int fd) {
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  auto size = ::readlink(link, path, sizeof path - 1);
  if (size <= 0)
    return false;
  path[size] = '\0';
  return is_below_home(path);
}

/// Sets errno and is true when a change of `where` has to fail.
template <class Where>
bool must_not_change(Where where) {
  auto error = __atomic_load_n(&page().write_error, __ATOMIC_RELAXED);
  if (error == 0 || !is_below_home(where))
    return false;
  errno = error;
  return true;
}

bool must_not_sync(int fd) {
  auto error = __atomic_load_n(&page().sync_error, __ATOMIC_RELAXED);
  if (error == 0 || !is_below_home(fd))
    return false;
  __atomic_add_fetch(&page().failed_syncs, 1, __ATOMIC_SEQ_CST);
  errno = error;
  return true;
}

// -- steps --------------------------------------------------------------------

bool is_hub() {
  static const bool answer
    = std::strcmp(::program_invocation_short_name, "ao-hub") == 0;
  return answer;
}

/// One more step of the hub, which may be its last.
void pass_step(const char* when, const char* what, const char* detail) {
  auto at = __atomic_load_n(&page().kill_at, __ATOMIC_SEQ_CST);
  if (at == 0 || !is_hub()
      || __atomic_add_fetch(&page().steps, 1, __ATOMIC_SEQ_CST) != at)
    return;
  std::snprintf(page().killed_at, sizeof page().killed_at, "%s %s %s", when,
                what, detail);
  // The next hub lives; so does this one when nobody counts any more.
  if (__atomic_exchange_n(&page().kill_at, 0, __ATOMIC_SEQ_CST) != at)
    return;
  ::kill(::getpid(), SIGKILL);
  // Its other threads may go on for a moment; this one does not.
  for (;;)
    ::pause();
}

const char* name_in(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

/// What follows the settings of a git command; empty for other programs.
const char* verb_of(char* const argv[]) {
  if (std::strcmp(name_in(argv[0]), "git") != 0)
    return "";
  auto word = argv + 1;
  while (*word != nullptr && std::strcmp(*word, "-c") == 0
         && word[1] != nullptr)
    word += 2;
  return *word != nullptr ? *word : "";
}

/// Syncs by `real`, which is a step when the file is below the home.
int sync_as_step(int (*real)(int), int fd) {
  if (is_below_home(fd))
    pass_step("before", "sync", "");
  auto answer = real(fd);
  if (is_below_home(fd))
    pass_step("after", "sync", "");
  return answer;
}

bool is_change(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
}

mode_t mode_in(int flags, va_list list) {
  return (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
}

} // namespace

extern "C" {

int clock_gettime(clockid_t id, timespec* out) noexcept {
  static auto real = next<int (*)(clockid_t, timespec*)>("clock_gettime");
  auto answer = real(id, out);
  if (answer == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
    out->tv_sec += clock_seconds();
  return answer;
}

int gettimeofday(timeval* out, void* zone) noexcept {
  static auto real = next<int (*)(timeval*, void*)>("gettimeofday");
  auto answer = real(out, zone);
  if (answer == 0 && out != nullptr)
    out->tv_sec += clock_seconds();
  return answer;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr)
    *out = now.tv_sec;
  return now.tv_sec;
}

#define AO_OPEN(name)                                                          \
  int name(const char* path, int flags, ...) {                                 \
    static auto real = next<int (*)(const char*, int, ...)>(#name);            \
    va_list list;                                                              \
    va_start(list, flags);                                                     \
    auto mode = mode_in(flags, list);                                          \
    va_end(list);                                                              \
    if (is_change(flags) && must_not_change(path))                             \
      return -1;                                                               \
    return real(path, flags, mode);                                            \
  }
AO_OPEN(open)
AO_OPEN(open64)
#undef AO_OPEN

int mkostemp(char* path, int flags) {
  static auto real = next<int (*)(char*, int)>("mkostemp");
  return must_not_change(path) ? -1 : real(path, flags);
}

int mkostemp64(char* path, int flags) {
  static auto real = next<int (*)(char*, int)>("mkostemp64");
  return must_not_change(path) ? -1 : real(path, flags);
}

int mkdir(const char* path, mode_t mode) noexcept {
  static auto real = next<int (*)(const char*, mode_t)>("mkdir");
  return must_not_change(path) ? -1 : real(path, mode);
}

int unlink(const char* path) noexcept {
  static auto real = next<int (*)(const char*)>("unlink");
  return must_not_change(path) ? -1 : real(path);
}

int rename(const char* from, const char* to) noexcept {
  static auto real = next<int (*)(const char*, const char*)>("rename");
  return must_not_change(to) ? -1 : real(from, to);
}

int ftruncate(int fd, off_t size) noexcept {
  static auto real = next<int (*)(int, off_t)>("ftruncate");
  return must_not_change(fd) ? -1 : real(fd, size);
}

int ftruncate64(int fd, off64_t size) noexcept {
  static auto real = next<int (*)(int, off64_t)>("ftruncate64");
  return must_not_change(fd) ? -1 : real(fd, size);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  return must_not_change(fd) ? -1 : real(fd, bytes, size);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static auto real
    = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return must_not_change(fd) ? -1 : real(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  static auto real
    = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return must_not_change(fd) ? -1 : real(fd, bytes, size, at);
}

int fsync(int fd) {
  static auto real = next<int (*)(int)>("fsync");
  return must_not_sync(fd) ? -1 : sync_as_step(real, fd);
}

int fdatasync(int fd) {
  static auto real = next<int (*)(int)>("fdatasync");
  return must_not_sync(fd) ? -1 : sync_as_step(real, fd);
}

int posix_spawn(pid_t* pid, const char* path,
                const posix_spawn_file_actions_t* files,
                const posix_spawnattr_t* attributes, char* const argv[],
                char* const env[]) {
  static auto real = next<decltype(&::posix_spawn)>("posix_spawn");
  pass_step("before", name_in(path), verb_of(argv));
  auto answer = real(pid, path, files, attributes, argv, env);
  pass_step("during", name_in(path), verb_of(argv));
  return answer;
}

int waitid(idtype_t kind, id_t id, siginfo_t* info, int options) {
  static auto real = next<decltype(&::waitid)>("waitid");
  auto answer = real(kind, id, info, options);
  if (answer == 0 && (options & WEXITED) != 0)
    pass_step("after", "a child", "");
  return answer;
}

} // extern "C"
