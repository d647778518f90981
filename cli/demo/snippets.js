// The same publish call in six languages, each complete as pasted.

const body = (room) => `{"room": "${room}", "event": "hello", "data": {"text": "Hello from LANG"}}`;

function snippets({ publisher, key, room }) {
  const url = `${publisher}/broadcast`;
  const json = (language) => body(room).replace('LANG', language);

  return [
    {
      name: 'curl', code:
`curl ${url} \\
  -H 'Authorization: Bearer ${key}' \\
  -d '${json('curl')}'`,
    },
    {
      name: 'Python', run: 'python3', file: 'publish.py', code:
`import json, urllib.request

request = urllib.request.Request(
    "${url}",
    json.dumps({
        "room": "${room}",
        "event": "hello",
        "data": {"text": "Hello from Python"},
    }).encode(),
    {"Authorization": "Bearer ${key}"},
)
print(urllib.request.urlopen(request).read().decode())`,
    },
    {
      name: 'PHP', run: 'php', file: 'publish.php', code:
`<?php
echo file_get_contents("${url}", false,
    stream_context_create(["http" => [
        "method" => "POST",
        "header" => "Authorization: Bearer ${key}\\r\\n"
            . "Content-Type: application/json\\r\\n",
        "content" => json_encode([
            "room" => "${room}",
            "event" => "hello",
            "data" => ["text" => "Hello from PHP"],
        ]),
    ]])), "\\n";`,
    },
    {
      name: 'Node', run: 'node', file: 'publish.js', code:
`fetch("${url}", {
  method: "POST",
  headers: { Authorization: "Bearer ${key}" },
  body: JSON.stringify({
    room: "${room}",
    event: "hello",
    data: { text: "Hello from Node" },
  }),
})
  .then((answer) => answer.json())
  .then(console.log);`,
    },
    {
      name: 'Go', run: 'go run', file: 'publish.go', code:
`package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

func main() {
	body := \`${json('Go')}\`
	request, _ := http.NewRequest("POST",
		"${url}", strings.NewReader(body))
	request.Header.Set("Authorization",
		"Bearer ${key}")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	fmt.Println(string(text))
}`,
    },
    {
      name: 'Ruby', run: 'ruby', file: 'publish.rb', code:
`require "net/http"
require "json"

answer = Net::HTTP.post(
  URI("${url}"),
  {
    room: "${room}",
    event: "hello",
    data: { text: "Hello from Ruby" },
  }.to_json,
  "Authorization" => "Bearer ${key}"
)
puts answer.body`,
    },
  ];
}

const tokens = /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(^<\?php|\b(?:import|package|func|return|require|echo|puts|print|defer|if|nil|false|fetch|curl)\b)/gm;

function highlight(target, code) {
  let at = 0;
  target.textContent = '';
  for (const match of code.matchAll(tokens)) {
    const span = document.createElement('span');
    span.className = match[1] ? 's' : 'k';
    span.textContent = match[0];
    target.append(code.slice(at, match.index), span);
    at = match.index + match[0].length;
  }
  target.append(code.slice(at));
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not a secure context, or not allowed: the old way still works there.
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function showSnippets(config) {
  const tabs = document.getElementById('tabs');
  const panel = document.getElementById('snippet');
  const copy = document.getElementById('copy');
  const run = document.getElementById('run');
  const rows = snippets(config);
  let chosen = rows[0];

  function choose(row, focus) {
    chosen = row;
    highlight(panel.firstElementChild, row.code);
    panel.scrollTo(0, 0);
    panel.setAttribute('aria-labelledby', `tab-${row.name}`);
    run.textContent = '';
    if (row.file) {
      const command = document.createElement('code');
      command.textContent = `${row.run} ${row.file}`;
      run.append(`Save it as ${row.file}, then `, command);
    } else {
      run.textContent = 'Paste it into a terminal: both panes show the event.';
    }
    for (const button of tabs.children) {
      const isChosen = button.textContent === row.name;
      button.setAttribute('aria-selected', isChosen);
      button.tabIndex = isChosen ? 0 : -1;
      if (isChosen && focus)
        button.focus();
    }
  }

  for (const row of rows) {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', id: `tab-${row.name}`, textContent: row.name });
    button.setAttribute('role', 'tab');
    button.setAttribute('aria-controls', 'snippet');
    button.addEventListener('click', () => choose(row, false));
    tabs.append(button);
  }
  tabs.addEventListener('keydown', (press) => {
    const at = rows.indexOf(chosen);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: rows.length - 1 }[press.key];
    if (to === undefined)
      return;
    press.preventDefault();
    choose(rows[(to + rows.length) % rows.length], true);
  });
  copy.addEventListener('click', async () => {
    copy.textContent = (await copyText(chosen.code)) ? 'Copied' : 'Press Ctrl+C';
    setTimeout(() => { copy.textContent = 'Copy'; }, 1600);
  });
  panel.removeAttribute('aria-label');
  choose(chosen, false);
}
