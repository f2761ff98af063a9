// Errors and times from what the host reports of each request; reload errors and drift from the JSON lines of core and of `pneumonia drift`.

@description('What the names are made of.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Resource id of the workspace.')
param workspaceId string

@description('Resource id of the action group.')
param actionsId string

@description('Percent of answers with 5xx.')
param errorPercent int

@description('Milliseconds.')
param p95Ms int

var rules = [
  {
    name: 'errors'
    title: 'errors'
    about: 'The service fails. AppExceptions and AppTraces have the reason, docs/runbook.md the steps.'
    severity: 1
    window: 'PT5M'
    every: 'PT5M'
    threshold: errorPercent
    column: 'percent'
    aggregation: 'Maximum'
    query: 'AppRequests | where OperationName == "pneumonia" | summarize percent = 100.0 * countif(toint(ResultCode) >= 500) / count()'
  }
  {
    name: 'latency'
    title: 'p95'
    about: 'Predictions are slow: larger pictures, too few instances, or a larger model. docs/runbook.md has the steps.'
    severity: 2
    window: 'PT10M'
    every: 'PT5M'
    threshold: p95Ms
    column: 'p95'
    aggregation: 'Maximum'
    query: 'AppRequests | where OperationName == "pneumonia" and Url contains "/predict" | summarize p95 = percentile(DurationMs, 95)'
  }
  {
    name: 'reload-errors'
    title: 'model not loaded'
    about: 'What served before goes on serving; /status has the reason, docs/runbook.md the steps.'
    severity: 1
    window: 'PT5M'
    every: 'PT5M'
    threshold: 0
    column: 'lines'
    aggregation: 'Total'
    query: 'AppTraces | extend line = parse_json(Message) | where tostring(line.message) in ("cannot reload", "cannot serve") | summarize lines = count() by code = tostring(line.code)'
  }
  {
    name: 'drift'
    title: 'drift'
    about: 'The probabilities of a day have shifted: the pictures or the patients have changed. `pneumonia drift` has the days.'
    severity: 2
    window: 'P1D'
    every: 'PT6H'
    threshold: 0
    column: 'days'
    aggregation: 'Total'
    query: 'ContainerAppConsoleLogs | where Log has "verdict" | extend line = parse_json(Log) | where tostring(line.verdict) == "shifted" | summarize days = dcount(tostring(line.day)) by version = tostring(line.version)'
  }
]

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: 'alert-${name}-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: '${name}: ${rule.title}'
    description: rule.about
    severity: rule.severity
    enabled: true
    scopes: [
      workspaceId
    ]
    evaluationFrequency: rule.every
    windowSize: rule.window
    skipQueryValidation: true // the tables come into being with the first lines
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: rule.query
          metricMeasureColumn: rule.column
          timeAggregation: rule.aggregation
          operator: 'GreaterThan'
          threshold: rule.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        actionsId
      ]
    }
  }
}]
