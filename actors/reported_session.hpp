#pragma once

#include "messages/error.hpp"
#include "messages/session.hpp"
#include "runtime/store/row_view.hpp"

namespace ao {

/// Whether there is somebody to report to about a session: one that has ended
/// and left nothing has no SESSION, and a RUNNER that went on reporting, as its
/// node has begun another life, would do so for ever.
/// Errors: `session_closed`, at which the RUNNER drops the report.
inline result<row_ptr<session>> reported_session(const row_view& rows,
                                                 const session_id& id) {
  auto row = rows.find<session>(id.text);
  if (!row)
    return fail(ec::session_closed, "no session is called " + id.text);
  if (is_terminal(*row) && row->cleaned)
    return fail(ec::session_closed, id.text + " has ended and left nothing");
  return row;
}

} // namespace ao
