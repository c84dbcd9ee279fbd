#include "actors/node_proxy_parts.hpp"

#include <algorithm>
#include <utility>

namespace ao::node_proxy_parts {
namespace {

/// Parts that a node may owe at a time. A beat behind so many comes in time
/// over a slow connection, too (CAF.md §3d), and no more of them are ever kept
/// here.
constexpr std::size_t output_window = 4;

/// Longer than the node takes to read one.
constexpr std::chrono::seconds part_limit{9};

/// Answers, and lets the next one take its place.
template <class Answer>
void end_with(self_pointer self, const std::shared_ptr<awaited_output>& one,
              const Answer& answer) {
  if (!answer_once(*one, answer))
    return;
  auto& asked = self->state.asked_output;
  asked.erase(std::remove(asked.begin(), asked.end(), one), asked.end());
  ask_for_output(self);
}

void ask_node(self_pointer self, const std::shared_ptr<awaited_output>& one) {
  auto& st = self->state;
  msg::wire_call call;
  call.verb = std::string{msg::verb::output};
  call.node = st.node.text;
  call.incarnation = st.member.incarnation;
  call.body = msg::to_wire(one->what);
  self->request(caf::actor_cast<wire_actor::super>(st.peer), part_limit, call)
    .then(
      [self, one](const msg::wire_reply& reply) {
        auto part = msg::read_wire<msg::output_part>(reply.body);
        if (!part)
          return end_with(self, one, make_error(part.error()));
        part->text = reply.bytes;
        end_with(self, one, *part);
      },
      [self, one](const caf::error& why) {
        end_with(self, one, make_error(problem_of_node(self, why)));
      });
}

} // namespace

void ask_for_output(self_pointer self) {
  auto& st = self->state;
  while (st.peer && !st.waiting_output.empty()
         && st.asked_output.size() < output_window) {
    auto one = std::move(st.waiting_output.front());
    st.waiting_output.pop_front();
    st.asked_output.push_back(one);
    ask_node(self, one);
  }
}

error away(self_pointer self) {
  const auto& name = self->state.node.text;
  return {ec::not_reachable,
          "node " + name + " is not connected; see ao node show " + name};
}

error problem_of_node(self_pointer self, const caf::error& why) {
  auto problem = to_ao_error(why);
  if (problem.code == ec::timed_out)
    return {ec::not_reachable,
            "node " + self->state.node.text + " does not answer"};
  return problem;
}

caf::result<msg::output_part> pass_output(self_pointer self,
                                          const msg::read_output& what) {
  auto& st = self->state;
  if (!is_reachable(self))
    return make_error(away(self));
  auto one = std::make_shared<awaited_output>();
  one->what = what;
  one->promise = self->make_response_promise<msg::output_part>();
  st.waiting_output.push_back(one);
  ask_for_output(self);
  return one->promise;
}

void refuse_output(self_pointer self) {
  auto& st = self->state;
  auto all = std::exchange(st.asked_output, {});
  for (auto& one : std::exchange(st.waiting_output, {}))
    all.push_back(std::move(one));
  for (auto& one : all)
    answer_once(*one, make_error(away(self)));
}

} // namespace ao::node_proxy_parts
