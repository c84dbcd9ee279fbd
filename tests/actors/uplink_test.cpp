#include "actors/uplink.hpp"
#include "messages/interfaces.hpp"
#include "tests/support/actor_fixture.hpp"

using namespace ao;
using namespace ao::test;

namespace {

/// The hub's own node reports to it; no SESSION is there.
class Uplink : public actor_fixture {
protected:
  row_view rows;
  uplink_actor reports;

  void begin(bool cleaned) {
    node_context node;
    static_cast<actor_context&>(node) = context;
    node.rows = &rows;
    store_rows known;
    session s;
    s.id.text = "app-1";
    s.end = session_end::merged;
    s.runtime = runtime_state::exited;
    s.cleaned = cleaned;
    known.sessions.push_back(std::move(s));
    rows.load(std::move(known), {}, 0);
    reports = spawn_as("uplink", uplink, node);
  }

  caf::expected<std::uint64_t> report(const std::string& session) {
    msg::session_report told;
    told.session.text = session;
    told.what = msg::fact::ready{};
    return outcome<std::uint64_t>(self->request(reports, caf::infinite, told));
  }
};

TEST_F(Uplink, RefusesAtOnceWhatNobodyCanHearAnyMore) {
  begin(true);
  for (const auto* id : {"app-1", "app-2"}) {
    auto said = report(id);
    ASSERT_FALSE(said);
    EXPECT_EQ(to_ao_error(said.error()).code, ec::session_closed);
  }
}

/// What was not cleaned up is waited for.
TEST_F(Uplink, WaitsForASessionThatHasEnded) {
  begin(false);
  auto said = report("app-1");
  ASSERT_FALSE(said);
  EXPECT_EQ(to_ao_error(said.error()).context, "no answer yet");
}

} // namespace
