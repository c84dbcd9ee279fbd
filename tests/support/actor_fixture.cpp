#include "tests/support/actor_fixture.hpp"

#include <caf/actor_cast.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace ao::test {

actor_fixture::config::config() {
  set("scheduler.policy", caf::atom("testing"));
  register_errors(*this);
}

actor_fixture::actor_fixture()
    : context{&names,
              [this](log_level level, const std::string& line) {
                constexpr const char* words[]
                  = {"debug ", "info ", "warn ", "error "};
                log.push_back(words[static_cast<int>(level)] + line);
              },
              false},
      sys(config_),
      self(sys, true),
      scheduler_(dynamic_cast<scheduler_type&>(sys.scheduler())) {
  // nop
}

actor_fixture::~actor_fixture() {
  for (auto& handle : spawned_)
    caf::anon_send_exit(caf::actor_cast<caf::actor>(handle),
                        caf::exit_reason::kill);
  spawned_.clear();
  settle();
  // A pending timer keeps its actor alive; one may lead to further mail.
  while (scheduler_.has_pending_timeout()) {
    scheduler_.trigger_timeouts();
    settle();
  }
}

void actor_fixture::settle() {
  while (scheduler_.try_run_once())
    ;
}

void actor_fixture::advance(caf::timespan d) {
  settle();
  auto& clock = scheduler_.clock();
  auto end = clock.now() + d;
  for (;;) {
    auto& schedule = clock.schedule();
    if (schedule.empty() || schedule.begin()->first > end)
      break;
    auto next = std::max(schedule.begin()->first, clock.now());
    scheduler_.advance_time(next - clock.now());
    settle();
  }
  scheduler_.advance_time(end - clock.now());
  settle();
}

bool actor_fixture::has_mail() {
  settle();
  return self->has_next_message();
}

caf::actor_clock::time_point actor_fixture::now() {
  return scheduler_.clock().now();
}

bool actor_fixture::alive(const caf::strong_actor_ptr& handle) {
  // An actor keeps its control block for as long as a handle does; what it
  // has not after its end is a way in.
  auto* actor = caf::actor_cast<caf::monitorable_actor*>(handle);
  return actor != nullptr
    && !actor->getf(caf::abstract_actor::is_cleaned_up_flag);
}

void actor_fixture::remember(caf::strong_actor_ptr handle) {
  spawned_.push_back(std::move(handle));
}

} // namespace ao::test
