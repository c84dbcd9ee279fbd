#include "actors/node_proxy_parts.hpp"

#include <algorithm>
#include <utility>

namespace ao::node_proxy_parts {
namespace {

/// Longer than the node waits for what is asked.
constexpr std::chrono::seconds step_limit{9};

template <class Answer>
void end_with(self_pointer self, const std::shared_ptr<awaited_terminal>& one,
              const Answer& answer) {
  if (!answer_once(*one, answer))
    return;
  auto& asked = self->state.asked_terminals;
  asked.erase(std::remove(asked.begin(), asked.end(), one), asked.end());
}

void ask_node(self_pointer self, const std::shared_ptr<awaited_terminal>& one) {
  auto& st = self->state;
  st.asked_terminals.push_back(one);
  msg::wire_call call;
  call.verb = std::string{msg::verb::terminal};
  call.node = st.node.text;
  call.incarnation = st.member.incarnation;
  call.body = msg::to_wire(one->what);
  call.bytes = std::move(one->what.bytes);
  self->request(caf::actor_cast<wire_actor::super>(st.peer), step_limit, call)
    .then(
      [self, one](const msg::wire_reply& reply) {
        auto part = msg::read_wire<msg::terminal_part>(reply.body);
        if (!part)
          return end_with(self, one, make_error(part.error()));
        part->bytes = reply.bytes;
        end_with(self, one, *part);
      },
      [self, one](const caf::error& why) {
        end_with(self, one, make_error(problem_of_node(self, why)));
      });
}

} // namespace

void ask_for_terminals(self_pointer self) {
  if (self->state.peer == nullptr)
    return;
  for (const auto& one : std::exchange(self->state.waiting_terminals, {}))
    ask_node(self, one);
}

caf::result<msg::terminal_part> pass_terminal(self_pointer self,
                                              const msg::use_terminal& what) {
  if (!is_reachable(self))
    return make_error(away(self));
  auto one = std::make_shared<awaited_terminal>();
  one->what = what;
  one->promise = self->make_response_promise<msg::terminal_part>();
  self->state.waiting_terminals.push_back(one);
  ask_for_terminals(self);
  return one->promise;
}

void refuse_terminals(self_pointer self) {
  auto& st = self->state;
  auto all = std::exchange(st.asked_terminals, {});
  for (auto& one : std::exchange(st.waiting_terminals, {}))
    all.push_back(std::move(one));
  for (auto& one : all)
    answer_once(*one, make_error(away(self)));
}

} // namespace ao::node_proxy_parts
