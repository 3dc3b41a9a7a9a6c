#include "lab/trail.h"

namespace ramet {

namespace {

/// What a step does, as a key.
std::string key_of(const std::string& typed, const Condition& condition, const Budget& budget) {
    return std::to_string(budget.instructions) + " " + std::to_string(budget.time_ns) + " " + condition_text(condition) + "\n" + typed;
}

}  // namespace

Expected<std::shared_ptr<Forest::Node>> Forest::root() {
    if (root_ != nullptr) return root_;
    root_ = std::make_shared<Node>();
    root_->session = std::make_unique<Session>(TRY(root_state_->fork()));
    return root_;
}

/// Drops the leaf that was not used for longest. Who still stands there keeps it alive.
void Forest::thin() {
    while (machines_ > machines_max_) {
        Node* parent = nullptr;
        std::string key;
        u64 oldest = ~u64{0};
        std::vector<Node*> open = {root_.get()};
        while (!open.empty()) {
            Node* const node = open.back();
            open.pop_back();
            for (auto const& [name, child] : node->next) {
                if (!child->next.empty()) open.push_back(child.get());
                else if (child->used < oldest) {
                    oldest = child->used;
                    parent = node;
                    key = name;
                }
            }
        }
        if (parent == nullptr) return;
        parent->next.erase(key);
        --machines_;
    }
}

Expected<Trail> Trail::begin(std::shared_ptr<Forest> forest, std::shared_ptr<Witness> witness) {
    auto node = TRY(forest->root());
    return Trail{std::move(forest), std::move(node), std::move(witness)};
}

Outcome Trail::run_until(const Condition& condition, const Budget& budget) {
    Forest& forest = *forest_;
    ++forest.counts_.steps;
    std::string const key = key_of(typed_, condition, budget);
    auto known = node_->next.find(key);
    if (known == node_->next.end()) {
        auto made = std::make_shared<Forest::Node>();
        made->session = std::make_unique<Session>(node_->session->fork());
        Position const before = made->session->position();
        if (!typed_.empty()) made->session->type(typed_);
        made->outcome = made->session->run_until(condition, budget);
        made->output = made->session->output(Channel::serial);  // with what the parent had not read: all of it is this step's
        ++forest.counts_.steps_run;
        forest.counts_.instructions_run += made->session->position() - before;
        known = node_->next.emplace(key, std::move(made)).first;
        ++forest.machines_;
    }
    node_ = known->second;
    node_->used = ++forest.clock_;
    typed_.clear();
    output_ = node_->output;
    if (witness_) witness_->last = node_->session->record();
    Outcome const outcome = node_->outcome;
    forest.thin();
    return outcome;
}

}  // namespace ramet
