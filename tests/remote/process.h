// Programs that a test starts and ends.
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <gtest/gtest.h>

namespace ramet {

/// One program of PATH, killed at the end if not before.
class Process {
public:
    explicit Process(std::vector<std::string> words) {
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t quiet;
        posix_spawn_file_actions_init(&quiet);
        for (int const fd : {0, 1, 2}) posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);
        EXPECT_EQ(posix_spawnp(&pid_, arguments[0], &quiet, nullptr, arguments.data(), environ), 0);
        posix_spawn_file_actions_destroy(&quiet);
    }
    ~Process() { kill_now(); }
    void kill_now() {
        if (pid_ == 0) return;
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    int wait() {
        int status = -1;
        if (pid_ == 0 || waitpid(pid_, &status, 0) != pid_) return -1;
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    pid_t pid() const { return pid_; }

private:
    pid_t pid_ = 0;
};

/// Runs a program of PATH to its end; its exit status, or -1.
inline int run_to_end(std::vector<std::string> words) { return Process{std::move(words)}.wait(); }

}  // namespace ramet
