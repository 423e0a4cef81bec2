// Sets of routes for the router's micro-benchmark, each with the requests that are searched: those
// of GitHub's public REST API, and one of the size and kind that others publish figures for.

export interface RouteSet {
  readonly name: string;
  /** 'METHOD /pattern'. */
  readonly routes: readonly string[];
  /** 'METHOD /path'. */
  readonly requests: readonly string[];
  /**
   * Whether hono's RegExpRouter can have these routes: it rejects some in which a literal and a
   * parameter are in the same place.
   */
  readonly fitsRegExpRouter: boolean;
}

const GITHUB_PATHS = `
GET / /emojis /events /feeds /gists /gists/public /gists/starred /gists/:gist_id
GET /gists/:gist_id/comments /gists/:gist_id/comments/:comment_id /gists/:gist_id/commits
GET /gists/:gist_id/forks /gists/:gist_id/star /gists/:gist_id/:sha /gitignore/templates
GET /gitignore/templates/:name /issues /licenses /licenses/:license /meta
GET /networks/:owner/:repo/events /notifications /notifications/threads/:thread_id /octocat
GET /notifications/threads/:thread_id/subscription /organizations /orgs/:org /orgs/:org/blocks
GET /orgs/:org/blocks/:username /orgs/:org/events /orgs/:org/hooks /orgs/:org/hooks/:hook_id
GET /orgs/:org/invitations /orgs/:org/issues /orgs/:org/members /orgs/:org/members/:username
GET /orgs/:org/memberships/:username /orgs/:org/migrations /orgs/:org/migrations/:migration_id
GET /orgs/:org/outside_collaborators /orgs/:org/projects /orgs/:org/public_members
GET /orgs/:org/public_members/:username /orgs/:org/repos /orgs/:org/teams
GET /orgs/:org/teams/:team_slug /orgs/:org/teams/:team_slug/discussions
GET /orgs/:org/teams/:team_slug/members /projects/:project_id
GET /orgs/:org/teams/:team_slug/memberships/:username /projects/:project_id/columns /rate_limit
GET /repos/:owner/:repo /repos/:owner/:repo/actions/artifacts /repos/:owner/:repo/actions/runs
GET /repos/:owner/:repo/actions/runs/:run_id /repos/:owner/:repo/actions/runs/:run_id/jobs
GET /repos/:owner/:repo/actions/secrets /repos/:owner/:repo/actions/workflows
GET /repos/:owner/:repo/assignees /repos/:owner/:repo/assignees/:assignee
GET /repos/:owner/:repo/branches /repos/:owner/:repo/branches/:branch
GET /repos/:owner/:repo/branches/:branch/protection /repos/:owner/:repo/check-runs/:check_run_id
GET /repos/:owner/:repo/collaborators /repos/:owner/:repo/collaborators/:username
GET /repos/:owner/:repo/comments /repos/:owner/:repo/comments/:comment_id
GET /repos/:owner/:repo/commits /repos/:owner/:repo/commits/:ref
GET /repos/:owner/:repo/commits/:ref/status /repos/:owner/:repo/compare/:basehead
GET /repos/:owner/:repo/contents/:path /repos/:owner/:repo/contributors
GET /repos/:owner/:repo/deployments /repos/:owner/:repo/deployments/:deployment_id
GET /repos/:owner/:repo/events /repos/:owner/:repo/forks /repos/:owner/:repo/git/blobs/:file_sha
GET /repos/:owner/:repo/git/commits/:commit_sha /repos/:owner/:repo/git/tags/:tag_sha
GET /repos/:owner/:repo/git/trees/:tree_sha /repos/:owner/:repo/hooks
GET /repos/:owner/:repo/hooks/:hook_id /repos/:owner/:repo/issues
GET /repos/:owner/:repo/issues/comments /repos/:owner/:repo/issues/events
GET /repos/:owner/:repo/issues/:issue_number /repos/:owner/:repo/issues/:issue_number/comments
GET /repos/:owner/:repo/issues/:issue_number/labels /repos/:owner/:repo/keys
GET /repos/:owner/:repo/labels /repos/:owner/:repo/labels/:name /repos/:owner/:repo/languages
GET /repos/:owner/:repo/license /repos/:owner/:repo/milestones
GET /repos/:owner/:repo/milestones/:milestone_number /repos/:owner/:repo/pages
GET /repos/:owner/:repo/pulls /repos/:owner/:repo/pulls/comments
GET /repos/:owner/:repo/pulls/:pull_number /repos/:owner/:repo/pulls/:pull_number/commits
GET /repos/:owner/:repo/pulls/:pull_number/files /repos/:owner/:repo/pulls/:pull_number/reviews
GET /repos/:owner/:repo/readme /repos/:owner/:repo/releases /repos/:owner/:repo/releases/latest
GET /repos/:owner/:repo/releases/assets/:asset_id /repos/:owner/:repo/releases/tags/:tag
GET /repos/:owner/:repo/releases/:release_id /repos/:owner/:repo/stargazers
GET /repos/:owner/:repo/subscribers /repos/:owner/:repo/tags /repos/:owner/:repo/teams
GET /repos/:owner/:repo/topics /repositories /search/code /search/commits /search/issues
GET /search/labels /search/repositories /search/topics /search/users /user /user/blocks /user/emails
GET /user/followers /user/following /user/following/:username /user/issues /user/keys
GET /user/keys/:key_id /user/orgs /user/repos /user/starred /user/starred/:owner/:repo
GET /user/subscriptions /user/teams /users /users/:username /users/:username/events
GET /users/:username/events/public /users/:username/followers /users/:username/following
GET /users/:username/gists /users/:username/keys /users/:username/orgs
GET /users/:username/received_events /users/:username/repos /users/:username/starred /zen
POST /gists /gists/:gist_id/comments /gists/:gist_id/forks /markdown /markdown/raw /orgs/:org/hooks
POST /orgs/:org/repos /orgs/:org/teams /repos/:owner/:repo/deployments /repos/:owner/:repo/forks
POST /repos/:owner/:repo/git/blobs /repos/:owner/:repo/git/refs /repos/:owner/:repo/git/trees
POST /repos/:owner/:repo/hooks /repos/:owner/:repo/issues /repos/:owner/:repo/merges /user/repos
POST /repos/:owner/:repo/issues/:issue_number/comments /repos/:owner/:repo/pulls /user/keys
POST /repos/:owner/:repo/pulls/:pull_number/reviews /repos/:owner/:repo/releases /user/emails
PUT /gists/:gist_id/star /notifications /orgs/:org/blocks/:username /orgs/:org/memberships/:username
PUT /repos/:owner/:repo/collaborators/:username /repos/:owner/:repo/contents/:path
PUT /repos/:owner/:repo/issues/:issue_number/lock /repos/:owner/:repo/pulls/:pull_number/merge
PUT /repos/:owner/:repo/topics /user/following/:username /user/starred/:owner/:repo
PATCH /gists/:gist_id /gists/:gist_id/comments/:comment_id /notifications/threads/:thread_id
PATCH /orgs/:org /orgs/:org/teams/:team_slug /repos/:owner/:repo /repos/:owner/:repo/hooks/:hook_id
PATCH /repos/:owner/:repo/issues/:issue_number /repos/:owner/:repo/pulls/:pull_number /user
PATCH /repos/:owner/:repo/releases/:release_id /repos/:owner/:repo/milestones/:milestone_number
DELETE /gists/:gist_id /gists/:gist_id/star /orgs/:org/hooks/:hook_id /orgs/:org/members/:username
DELETE /repos/:owner/:repo /repos/:owner/:repo/branches/:branch/protection /user/keys/:key_id
DELETE /repos/:owner/:repo/collaborators/:username /repos/:owner/:repo/hooks/:hook_id
DELETE /repos/:owner/:repo/issues/:issue_number/lock /repos/:owner/:repo/keys/:key_id
DELETE /repos/:owner/:repo/labels/:name /repos/:owner/:repo/releases/:release_id
DELETE /user/following/:username /user/starred/:owner/:repo
`;

const GITHUB: readonly string[] = GITHUB_PATHS.trim()
  .split('\n')
  .flatMap((line) => {
    const [method, ...patterns] = line.split(' ');
    return patterns.map((pattern) => `${method} ${pattern}`);
  });

/** A few routes with each kind of pattern. */
const SMALL: readonly string[] = [
  'GET /user',
  'GET /user/comments',
  'GET /user/avatar',
  'GET /user/lookup/username/:username',
  'GET /user/lookup/email/:address',
  'GET /event/:id',
  'GET /event/:id/comments',
  'POST /event/:id/comment',
  'GET /map/:location/events',
  'GET /status',
  'GET /very/deeply/nested/route/hello/there',
  'GET /static/*',
];

export const ROUTE_SETS: readonly RouteSet[] = [
  {
    name: 'GitHub',
    routes: GITHUB,
    requests: GITHUB.map((route) => route.replace(/:\w+/g, 'some-value')),
    fitsRegExpRouter: false,
  },
  {
    name: 'small',
    routes: SMALL,
    requests: [
      'GET /user',
      'GET /user/comments',
      'GET /user/lookup/username/hey',
      'GET /event/abcd1234/comments',
      'POST /event/abcd1234/comment',
      'GET /very/deeply/nested/route/hello/there',
      'GET /static/index.html',
    ],
    fitsRegExpRouter: true,
  },
];
