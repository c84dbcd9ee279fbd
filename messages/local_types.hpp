#pragma once

#include "messages/orders.hpp"
#include "messages/requests.hpp"
#include "messages/merging.hpp"
#include "messages/store.hpp"
#include "messages/worktree.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

/// Messages that stay within one process and need no serialiser. What crosses
/// the wire has a type id in messages/type_ids.hpp instead.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::store_write)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::store_written)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::add_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::open_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::opened_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::move_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::cancel_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::retry_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::kill_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::close_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::restore_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::agent_word)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::session_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::change_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::task_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::open_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::branch_pushed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::run_ci)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::ci_finished)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::enqueue_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::merge_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::admit_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::slot_free)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::ensure_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::stop_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::publish_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::session_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::add_worktree)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::worktree_made)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::drop_worktree)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::worktree_dropped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::open_pane)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::pane_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::close_pane)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::paste_text)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::shim_word)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::prepare_merge)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::prepared_merge)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::land_merge)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::landed_merge)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::slot_granted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::slot_waits)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::restart_now)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::cleanup_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::begin_merge)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::check_merge)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::merge_verdict)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::release_claim)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::ci_ended)
