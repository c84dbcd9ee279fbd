#include "cli/commands/commands.hpp"
#include "cli/commands/secret_prompt.hpp"
#include "cli/demo/assets.hpp"
#include "cli/demo/report.hpp"
#include "cli/demo/residents.hpp"
#include "runtime/home/lock.hpp"

#include <algorithm>
#include <csignal>

namespace ao::cli {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::uint64_t usual_parallel = 4;
constexpr std::uint64_t most_parallel = 64;
/// The play lasts some twenty seconds; this is for a machine that crawls.
constexpr milliseconds play_limit{240'000};
constexpr milliseconds stop_limit{130'000};
constexpr milliseconds grace{2'000};

/// The scenario has deeds for three.
constexpr std::uint64_t fewest_nodes = 3;
constexpr std::uint64_t most_nodes = 8;

/// @param nodes Whether it is played on nodes.
result<demo::scenario> built_in_scenario(bool nodes) {
  for (const auto& one : demo::assets())
    if (one.path == (nodes ? "nodes.json" : "scenario.json"))
      return demo::read_scenario(one.text);
  return fail(ec::internal, "the program has no scenario built in");
}

/// Whether the play went to its end; else nothing can be expected.
bool is_finished(const demo::report& of, demo::interrupts& signals) {
  return signals.caught() == 0 && of.problems.empty();
}

/// Terminals of sessions that have ended.
void find_panes(const home& where, demo::report& out) {
  auto panes = demo::panes_of(where);
  if (!panes)
    return out.problems.push_back(to_string(panes.error()));
  for (const auto& task : out.saw.events.tasks())
    if (std::count(panes->begin(), panes->end(), task.session) > 0)
      out.problems.push_back("the terminal of " + task.session + " was left");
}

/// A tmux server that outlives its node's program, as it is to.
bool is_server_of_node(const demo::stage& stage, const demo::resident& one) {
  return one.command.rfind("tmux ", 0) == 0
    && one.command.find(stage.node_home("")) != std::string::npos;
}

/// Ends the hub as a person would. Whoever is still there afterwards is ended
/// by force, and a problem if the play went to its end.
void clear_stage(demo::stage& stage, demo::nodes& workers, bool finished,
                 demo::report& out) {
  auto where = stage.where();
  auto problem = [&](const std::string& text) { out.problems.push_back(text); };
  if (finished)
    find_panes(where, out);
  auto words = finished ? std::vector<std::string>{"stop", "--agents"}
                        : std::vector<std::string>{"stop"};
  auto stopped = stage.ask_ao(std::move(words), stop_limit);
  if (!stopped)
    problem("ao stop: " + to_string(stopped.error()));
  else if (stopped->code != 0)
    problem("ao stop: exit " + std::to_string(stopped->code));
  if (auto ended = workers.end(); !ended)
    problem(to_string(ended.error()));
  auto left = demo::residents_of(where);
  if (!left)
    problem(to_string(left.error()));
  else if (finished)
    for (const auto& one : *left)
      if (!is_server_of_node(stage, one))
        problem("process " + std::to_string(one.pid)
                + " was left: " + one.command);
  if (auto ended = demo::end_residents(where, grace); !ended)
    problem(to_string(ended.error()));
}

/// What the forge says, if it came that far.
void look_at_forge(const demo::stage& stage, const demo::scenario& scenario,
                   demo::report& out) {
  if (out.saw.events.tasks().empty())
    return;
  auto forge = demo::read_forge(stage, scenario);
  if (forge)
    out.forge = std::move(*forge);
  else
    out.problems.push_back(to_string(forge.error()));
}

result<void> init_cluster(const demo::stage& stage) {
  auto made = stage.ask_ao({"cluster", "init"});
  if (!made)
    return fail(made.error());
  if (made->code != 0)
    return fail(ec::process_failed, "ao cluster init: " + made->err);
  return {};
}

outcome finish(invocation& what, demo::report& of) {
  what.out.document(demo::as_json(of));
  demo::print(what.out, of);
  return of.ok() ? 0 : 1;
}

} // namespace

outcome run_demo(invocation& what) {
  auto parallel = what.args.number("parallel", usual_parallel);
  if (!parallel)
    return fail(parallel.error());
  if (*parallel < 1 || *parallel > most_parallel)
    return fail(ec::bad_input,
                "--parallel: expected 1 to " + std::to_string(most_parallel));
  auto until = what.args.maybe("until");
  if (until && *until != "human")
    return fail(ec::bad_input, "--until: expected human");
  if (until && !can_ask())
    return fail(ec::bad_input,
                "--until human: nobody can be asked, as standard input and "
                "error are no terminal; without --until the demo answers "
                "itself");
  auto count = what.args.number("nodes", 0);
  if (!count)
    return fail(count.error());
  if (*count != 0 && (*count < fewest_nodes || *count > most_nodes))
    return fail(ec::bad_input,
                "--nodes: expected " + std::to_string(fewest_nodes) + " to "
                  + std::to_string(most_nodes));
  if (*count != 0 && until)
    return fail(ec::bad_input, "--until: nobody is asked with --nodes");
  auto scenario = built_in_scenario(*count != 0);
  if (!scenario)
    return fail(scenario.error());
  auto door = *count == 0 ? result<std::uint16_t>{std::uint16_t{0}}
                          : demo::free_port_pair();
  if (!door)
    return fail(door.error());
  demo::interrupts signals;
  auto stage = demo::stage::make(what.args.text("home"), what.program_dir);
  if (!stage)
    return fail(stage.error());
  auto phone = demo::gateway::open();
  if (!phone)
    return fail(phone.error());
  auto began = clock::now();
  auto view = demo::progress::of_process();
  demo::report out;
  auto problem = [&](const std::string& text) { out.problems.push_back(text); };
  auto agents = static_cast<unsigned>(*parallel);
  auto open = demo::fit_to(*scenario, agents);
  demo::nodes workers{*stage};
  demo::cast crew{workers, {}, *door};
  for (std::uint64_t n = 1; n <= *count; ++n)
    crew.names.push_back("n" + std::to_string(n));
  auto furnished = stage->furnish(*scenario, agents, **phone, open, crew.door);
  if (furnished && *count != 0)
    furnished = init_cluster(*stage);
  demo::person reader{*stage, view, **phone, until.has_value()};
  if (furnished)
    out.saw
      = demo::play(*scenario, *stage, crew, view, reader, signals, play_limit);
  else
    problem(to_string(furnished.error()));
  view.finish();
  out.problems.insert(out.problems.end(), out.saw.problems.begin(),
                      out.saw.problems.end());
  auto finished = is_finished(out, signals);
  view.say("ends the hub, tests what was merged");
  clear_stage(*stage, workers, finished, out);
  look_at_forge(*stage, *scenario, out);
  if (signals.caught() == 0)
    demo::judge(out, *scenario);
  if (auto signal = signals.caught(); signal != 0)
    problem("interrupted by " + signal_name(signal));
  if (what.args.flag("keep"))
    view.say("kept: AO_HOME=" + stage->root()
             + " AO_CONFIG_PATH=" + stage->directory() + "/ao.yaml ao start");
  else if (auto gone = stage->strike(); !gone)
    problem(to_string(gone.error()));
  out.took = std::chrono::duration_cast<milliseconds>(clock::now() - began);
  return finish(what, out);
}

} // namespace ao::cli
