// Runs an io_context until something has happened, without sleeping; a limit keeps a failing test
// from hanging.
#pragma once

#include <chrono>

#include <boost/asio/io_context.hpp>

namespace hangu::control {

/// False when `limit` went by first.
template <class Predicate>
bool run_until(boost::asio::io_context& context, Predicate happened,
               std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!happened() && std::chrono::steady_clock::now() < end) {
    context.restart();
    context.run_one_for(std::chrono::milliseconds(5));
  }
  return happened();
}

}  // namespace hangu::control
