"""What people do in the workspace, and what becomes of it: commands typed, buttons pressed, modals submitted."""

import time
from typing import Any

from sandbox.cast import Workspace
from sandbox.slack.blocks import problems_in_options, problems_in_view
from sandbox.slack.choices import refused_by_client, selection
from sandbox.slack.sender import Ack, Sender
from sandbox.slack.state import APP_ID, SlackError, SlackState
from sandbox.slack.talk_api import TalkApi, checked_content
from sandbox.wrong import ControlError

Json = dict[str, Any]


_NO_ANSWER = {
    "sv": "{command} fungerade inte: appen svarade inte i tid.",
    "en": "{command} failed because the app did not respond in time.",
}


class Acting:
    """People's hands. Every verb returns JSON for the control handles."""

    def __init__(self, state: SlackState, sender: Sender, talk: TalkApi) -> None:
        self.state, self.sender, self.talk = state, sender, talk

    def _language(self, user_id: str) -> str:
        return self.state.user(user_id).locale[:2] if self.state.user(user_id).locale[:2] in _NO_ANSWER else "en"

    def person(self, user_id: Any) -> Workspace:
        """The workspace of somebody who can act. Raises ControlError."""
        try:
            user = self.state.user(str(user_id))
        except SlackError:
            raise ControlError(f"there is no user {user_id!r}", "GET /control/state lists the users", 404) from None
        if user.deleted or user.is_bot:
            what = "deactivated" if user.deleted else "a bot"
            raise ControlError(f"{user.real_name} is {what} and can't act", "act as somebody else")
        return self.state.workspaces[user.team_id]

    # --- commands ---

    async def command(self, user_id: str, channel: str, command: str, text: str) -> Json:
        """Type a slash command in a channel (or in the DM with the app)."""
        workspace = self.person(user_id)
        place = self._place(workspace, user_id, channel)
        if not command.startswith("/"):
            raise ControlError(f"{command!r} is no command", "commands start with /, such as /billing")
        if not workspace.installed:
            raise ControlError("the app is not installed in this workspace", "POST /control/event app_reinstalled")
        ack, key = await self.sender.command(workspace, user_id, place, command, text)
        if not ack.ok:
            words = _NO_ANSWER[self._language(user_id)].format(command=command)
            self.talk.ephemeral(place, user_id, {"text": words, "from_slackbot": True})
        elif ack.body.strip():
            self._show_ack(ack, key, place, user_id)
        return {"ok": ack.ok, "ack": {"status": ack.status, "body": ack.body, "ms": ack.ms}}

    def _show_ack(self, ack: Ack, key: str, place: str, user_id: str) -> None:
        answer = ack.json() or {"text": ack.body}
        self.respond(key, answer, place=place, user_id=user_id)

    def _place(self, workspace: Workspace, user_id: str, channel: str) -> str:
        if channel in {"", "dm", self.state.dms.get(user_id)}:
            return self.state.dm(user_id)
        if channel in workspace.users:  # a DM with a colleague: commands work there too
            return self.state.between(user_id, channel)
        found = workspace.channels.get(channel)
        if found is None or user_id not in found.members:
            raise ControlError(
                f"{user_id} is not in a channel {channel!r}", "GET /control/state lists channels and members", 404
            )
        return found.id

    def respond(self, key: str, answer: Json, *, place: str | None = None, user_id: str | None = None) -> None:
        """What arrives at a response_url (or in an ack's body). Raises SlackError."""
        if place is None or user_id is None:
            found = self.state.use_response_url(key)
            place, user_id = found.channel, found.user
        origin = self.state.response_urls[key]
        if answer.get("delete_original"):
            if origin.message_ts:
                self.state.remove(place, origin.message_ts)
            return
        content = checked_content(answer)
        if answer.get("replace_original") and origin.message_ts:
            message = self.state.find(place, origin.message_ts)
            message.pop("blocks", None)
            message.update(content)
            for index, block in enumerate(message.get("blocks") or []):
                block.setdefault("block_id", f"r{index}{time.monotonic_ns()}")
            self.state.changed()
        elif answer.get("response_type") == "in_channel":
            workspace = self.state.workspace_of(user_id)
            self.state.post(
                place, {"user": workspace.bot_user_id, "bot_id": workspace.bot_id, "app_id": APP_ID, **content}
            )
        else:
            message = self.talk.ephemeral(place, user_id, content)
            if origin.message_ts is None:  # what answered the command is what replace_original means from now on
                origin.message_ts = message["ts"]

    # --- actions ---

    async def action(self, user_id: str, request: Json) -> Json:
        """Press a button or make a choice, on a message, in a modal or in the App Home."""
        workspace = self.person(user_id)
        action_id = str(request.get("action_id"))
        if request.get("view_id"):
            view = self._own_view(user_id, str(request["view_id"]))
            block, element = self._element(view.get("blocks"), action_id, request.get("block_id"))
            chosen = self._choose(workspace, view["state"]["values"], block, element, request.get("value"))
            payload: Json = {"container": {"type": "view", "view_id": view["id"]}, "view": view}
        else:
            place = self._place(workspace, user_id, str(request.get("channel", "dm")))
            message = self._visible(user_id, place, str(request.get("message_ts")))
            block, element = self._element(message.get("blocks"), action_id, request.get("block_id"))
            state: Json = message.setdefault("_state", {})
            chosen = self._choose(workspace, state, block, element, request.get("value"))
            payload = self._message_payload(workspace, user_id, place, message, state)
        self.state.changed()
        action = {
            "action_id": action_id,
            "block_id": block["block_id"],
            "type": element["type"],
            "action_ts": self.state.ts(),
            **chosen,
        }
        if "text" in element:
            action["text"] = element["text"]
        ack = await self.sender.interaction(
            workspace, user_id, {"type": "block_actions", "actions": [action], **payload}
        )
        return {"ok": ack.ok, "ack": {"status": ack.status, "body": ack.body, "ms": ack.ms}}

    def _message_payload(self, workspace: Workspace, user_id: str, place: str, message: Json, state: Json) -> Json:
        channel = workspace.channels.get(place)
        key = self.state.new_response_url(user_id, place, message["ts"])
        shown = {name: value for name, value in message.items() if name not in {"_state", "ephemeral", "ephemeral_to"}}
        return {
            "container": {
                "type": "message",
                "message_ts": message["ts"],
                "channel_id": place,
                "is_ephemeral": bool(message.get("ephemeral")),
            },
            "channel": {"id": place, "name": channel.name if channel else "directmessage"},
            "state": {"values": state},
            "response_url": f"{self.sender.base_url}/response/{key}",
        } | ({} if message.get("ephemeral") else {"message": shown})

    def _own_view(self, user_id: str, view_id: str) -> Json:
        if view_id == "home" and user_id in self.state.homes:
            return self.state.homes[user_id]
        try:
            owner, view = self.state.view(view_id)
        except SlackError:
            raise ControlError(f"there is no view {view_id!r}", "GET /control/views lists what is open", 404) from None
        if owner != user_id:
            raise ControlError(
                f"view {view_id} is not open for {user_id}", "GET /control/views?user= lists what is", 404
            )
        return view

    def _visible(self, user_id: str, place: str, ts: str) -> Json:
        for message in self.state.seen_by(user_id, place):
            if message["ts"] == ts:
                return message
        raise ControlError(f"{user_id} sees no message {ts!r} there", "GET /control/messages lists what they see", 404)

    def _element(self, blocks: Any, action_id: str, block_id: str | None) -> tuple[Json, Json]:
        there = []
        for block in blocks or []:
            for element in [*(block.get("elements") or []), block.get("accessory"), block.get("element")]:
                if isinstance(element, dict) and element.get("action_id"):
                    there.append(element["action_id"])
                    if element["action_id"] == action_id and block_id in {None, block.get("block_id")}:
                        return block, element
        raise ControlError(f"there is no {action_id!r} to press", f"there is: {', '.join(there) or 'nothing'}", 404)

    def _choose(self, workspace: Workspace, values: Json, block: Json, element: Json, value: Any) -> Json:
        """Write a choice into the state; returns what the action carries of it."""
        kind = element["type"]
        if kind == "button":
            return {name: element[name] for name in ("value",) if name in element}
        chosen = selection(element, value, workspace)
        if kind != "overflow":
            values.setdefault(block["block_id"], {})[element["action_id"]] = {"type": kind, **chosen}
        return chosen

    # --- modals ---

    async def submit(self, user_id: str, view_id: str, values: Json) -> Json:
        """Fill in and submit the top modal."""
        workspace = self.person(user_id)
        view = self._own_view(user_id, view_id)
        stack = self.state.views.get(user_id) or []
        if not stack or stack[-1] is not view:
            raise ControlError("that modal is not on top", "submit the last of GET /control/views")
        self._fill(workspace, view, values)
        refused = refused_by_client(view, self._language(user_id))
        if refused:
            view["errors"] = refused
            self.state.changed()
            return {"ok": False, "response_action": "errors", "errors": refused}
        view.pop("errors", None)
        payload = {"type": "view_submission", "view": view, "response_urls": []}
        ack = await self.sender.interaction(workspace, user_id, payload)
        if not ack.ok:
            view["errors"] = {"": _NO_ANSWER[self._language(user_id)].format(command="Kassör")}
            self.state.changed()
            return {"ok": False, "ack": {"status": ack.status, "body": ack.body, "ms": ack.ms}}
        return self._after_submit(user_id, view, ack.json())

    def _fill(self, workspace: Workspace, view: Json, values: Json) -> None:
        for block_id, actions in values.items():
            for action_id, value in (actions or {}).items():
                block, element = self._element(view.get("blocks"), action_id, block_id)
                self._choose(workspace, view["state"]["values"], block, element, value)

    def _after_submit(self, user_id: str, view: Json, answer: Json) -> Json:
        stack = self.state.views[user_id]
        wanted = answer.get("response_action")
        if wanted == "errors":
            view["errors"] = answer.get("errors", {})
        elif wanted in {"update", "push"}:
            problems = problems_in_view(answer.get("view"))
            if problems:
                raise SlackError("invalid_arguments", problems)
            if wanted == "update":
                self.talk.replace(view, answer["view"])
            else:
                self.talk.push(user_id, answer["view"])
        elif wanted == "clear":
            stack.clear()
        elif view in stack:
            stack.remove(view)
        self.state.changed()
        return {"ok": wanted != "errors", "response_action": wanted, "errors": answer.get("errors")}

    async def close(self, user_id: str, view_id: str, *, everything: bool = False) -> Json:
        """Close a modal and what is above it, as its own button does; or the whole stack, as the cross in the corner does."""
        workspace = self.person(user_id)
        view = self._own_view(user_id, view_id)
        stack = self.state.views.get(user_id) or []
        if view not in stack:
            raise ControlError(f"view {view_id} is not open", "GET /control/views lists what is open", 404)
        cleared = everything or bool(view.get("clear_on_close"))
        first = 0 if cleared else stack.index(view)
        closed = stack[first:]
        del stack[first:]
        self.state.changed()
        for each in reversed(closed):
            if each.get("notify_on_close"):
                payload = {"type": "view_closed", "view": each, "is_cleared": cleared}
                await self.sender.interaction(workspace, user_id, payload)
        return {"ok": True}

    async def suggest(self, user_id: str, request: Json) -> Json:
        """Ask the app for an external select's options. Raises ControlError for an answer that Slack would not show."""
        workspace = self.person(user_id)
        action_id, block_id = str(request.get("action_id")), request.get("block_id")
        if request.get("view_id"):
            view = self._own_view(user_id, str(request["view_id"]))
            block, element = self._element(view.get("blocks"), action_id, block_id)
            where: Json = {"view": view, "container": {"type": "view", "view_id": view["id"]}}
        else:
            place = self._place(workspace, user_id, str(request.get("channel", "dm")))
            message = self._visible(user_id, place, str(request.get("message_ts")))
            block, element = self._element(message.get("blocks"), action_id, block_id)
            where = self._message_payload(workspace, user_id, place, message, message.get("_state", {}))
            del where["state"], where["response_url"]
        typed = str(request.get("value") or "")
        if not element["type"].endswith("external_select"):
            raise ControlError(f"{action_id!r} has its options already", "only an external select asks for them")
        if len(typed) < element.get("min_query_length", 3):
            return {"ok": True, "options": []}  # Slack's client doesn't ask yet
        asked = {"type": "block_suggestion", "action_id": action_id, "block_id": block["block_id"], "value": typed}
        ack = await self.sender.interaction(workspace, user_id, asked | where)
        answer = ack.json()
        if ack.ok and (wrong := problems_in_options(answer)):
            raise ControlError("the app's options are none that Slack shows", "; ".join(wrong), 502)
        return {"ok": ack.ok, **answer}
