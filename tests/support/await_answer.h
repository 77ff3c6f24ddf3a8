// Waiting for what is answered later, by another thread.
#pragma once

#include <future>
#include <memory>
#include <utility>

namespace invited::test {

/// Calls `begin` with a function to be given the answer, waits until it is, and returns it.
template <class Answer, class Begin>
Answer await_answer(Begin begin) {
  auto promise = std::make_shared<std::promise<Answer>>();
  auto answer = promise->get_future();
  // Its last owner: where it is dropped, the wait ends with an exception.
  begin([promise = std::move(promise)](Answer given) { promise->set_value(std::move(given)); });
  return answer.get();
}

}  // namespace invited::test
