#include "tests/support/machine_faults.hpp"

#include "tests/support/places.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <system_error>

namespace ao {

machine_faults::machine_faults(const std::filesystem::path& file,
                               const std::filesystem::path& home) {
  int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  void* page = MAP_FAILED;
  if (fd >= 0 && ::ftruncate(fd, sizeof(fault_page)) == 0)
    page = ::mmap(nullptr, sizeof(fault_page), PROT_READ | PROT_WRITE,
                  MAP_SHARED, fd, 0);
  auto why = errno;
  if (fd >= 0)
    ::close(fd);
  if (page == MAP_FAILED)
    throw std::system_error{why, std::generic_category(), file.string()};
  page_ = static_cast<fault_page*>(page);
  variables_ = {{"LD_PRELOAD", preload_path()},
                {"AO_FAULTS_PAGE", file.string()},
                {"AO_FAULTS_HOME", home.string()},
                // Or the sanitizer's runtime refuses to come second.
                {"ASAN_OPTIONS", "verify_asan_link_order=0"}};
}

machine_faults::~machine_faults() {
  ::munmap(page_, sizeof(fault_page));
}

void machine_faults::set_clock(std::chrono::seconds off) {
  __atomic_store_n(&page_->clock_seconds, off.count(), __ATOMIC_SEQ_CST);
}

void machine_faults::fail_writes(int error) {
  __atomic_store_n(&page_->write_error, error, __ATOMIC_SEQ_CST);
}

void machine_faults::fail_syncs(int error) {
  __atomic_store_n(&page_->sync_error, error, __ATOMIC_SEQ_CST);
}

int machine_faults::failed_syncs() const {
  return __atomic_load_n(&page_->failed_syncs, __ATOMIC_SEQ_CST);
}

void machine_faults::kill_hub_at(int step) {
  __atomic_store_n(&page_->kill_at, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(&page_->killed_at[0], '\0', __ATOMIC_SEQ_CST);
  __atomic_store_n(&page_->steps, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(&page_->kill_at, step, __ATOMIC_SEQ_CST);
}

void machine_faults::count_steps() {
  kill_hub_at(std::numeric_limits<std::int32_t>::max());
}

std::optional<int> machine_faults::stop_counting() {
  if (__atomic_exchange_n(&page_->kill_at, 0, __ATOMIC_SEQ_CST) == 0)
    return std::nullopt;
  return __atomic_load_n(&page_->steps, __ATOMIC_SEQ_CST);
}

std::string machine_faults::killed_at() const {
  return page_->killed_at;
}

} // namespace ao
