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
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::add_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::open_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::opened_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::move_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::cancel_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::retry_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::kill_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::close_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::restore_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::agent_word)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::session_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::change_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::task_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::open_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::branch_pushed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::run_ci)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::ci_finished)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::enqueue_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::merge_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::admit_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::slot_free)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::ensure_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::stop_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::publish_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::session_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::add_worktree)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::worktree_made)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::drop_worktree)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::worktree_dropped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::open_pane)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::pane_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::close_pane)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::shim_word)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::prepare_merge)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::prepared_merge)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::land_merge)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::landed_merge)
