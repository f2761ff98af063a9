// Everything of one deployment, in one resource group. Without images only what must be there before them is made: registry, vault, storage.
targetScope = 'resourceGroup'

@description('What all names are made of: small letters and digits; storage accounts and registries take nothing else.')
@minLength(3)
@maxLength(12)
param name string = 'pneumonia'

@description('Region of everything.')
param location string = resourceGroup().location

@description('Tags of everything, beside app, instance and managed-by: an environment, a cost centre.')
param tags object = {}

@description('Where the Function App runs: containerApps scales to nothing; premium keeps an instance ready and costs by the hour.')
@allowed([
  'containerApps'
  'premium'
])
param hosting string = 'containerApps'

@description('Image that serves, REGISTRY/NAME:TAG or @sha256:…. Empty at the first deployment, before anything was pushed.')
param serveImage string = ''

@description('Image that retrains: the Dockerfile\'s target train.')
param trainImage string = ''

@description('Whether the vault holds the secret admin-token. Until it does, the routes that change something are off.')
param useAdminToken bool = false

@description('Whether the vault holds the secret api-key, which /predict then wants beside the function key.')
param useApiKey bool = false

@description('Who may call without a token of the platform: FUNCTION wants a function key, ANONYMOUS nothing, ADMIN the master key.')
@allowed([
  'FUNCTION'
  'ANONYMOUS'
  'ADMIN'
])
param authLevel string = 'FUNCTION'

@description('Processors of an instance on Container Apps; its memory in GiB is twice that.')
@minValue(1)
@maxValue(4)
param cpu int = 1

@description('Instances that wait while nobody calls. 0 costs nothing and makes the first caller wait for a start; Premium has at least 1.')
@minValue(0)
@maxValue(20)
param minInstances int = 0

@description('Most instances at once: the upper bound of the bill.')
@minValue(1)
@maxValue(20)
param maxInstances int = 4

@description('Seconds between two looks of an instance for a newly promoted model.')
@minValue(1)
@maxValue(3600)
param refreshS int = 30

@description('Whether answers are kept in the store, without identifiers, for the daily look for drift. Without it there is none.')
param recordPredictions bool = true

@description('Labels that pictures may be uploaded under beside the model\'s own, with commas between them.')
param extraLabels string = ''

@description('How often the store is kept: ZRS in three zones, where the region has them, LRS in one.')
@allowed([
  'Standard_ZRS'
  'Standard_LRS'
])
param storeSku string = 'Standard_ZRS'

@description('Days after which kept answers are deleted.')
@minValue(30)
@maxValue(3650)
param keepRecordsDays int = 400

@description('Hours after which a retraining is ended.')
@minValue(1)
@maxValue(24)
param retrainHours int = 6

@description('Passes over the pictures of a retraining.')
@minValue(1)
@maxValue(100)
param retrainEpochs int = 4

@description('Whether a deleted vault can be purged only after its time. Its secrets can be made anew in a minute, so that by default it can.')
param purgeProtection bool = false

@description('Who is told of alerts and of the budget.')
@minLength(1)
@maxLength(10)
param alertEmails array

@description('Currency units a month. At 50, 90 and 100 percent, and when 100 are forecast, a mail goes out; nothing is switched off. 0 makes no budget.')
@minValue(0)
param monthlyBudget int = 20

@description('First day of the budget; the first of a month. Give the same at every deployment, once there is a budget.')
param budgetStart string = utcNow('yyyy-MM-01')

@description('Percent of answers with status 5xx within five minutes from which an alert goes out.')
@minValue(1)
@maxValue(99)
param errorPercent int = 2

@description('Milliseconds of a prediction, 95 of 100 within ten minutes, from which an alert goes out.')
@minValue(1)
param p95Ms int = 1000

// Names as the Cloud Adoption Framework writes them; what must be unique in the world has a suffix that the group decides.
var suffix = take(uniqueString(resourceGroup().id), 6)
var names = {
  registry: 'cr${name}${suffix}'
  store: 'st${name}${suffix}'
  host: 'sthost${take(name, 10)}${suffix}'
  vault: 'kv-${name}-${suffix}'
  workspace: 'log-${name}'
  insights: 'appi-${name}'
  actions: 'ag-${name}'
  environment: 'cae-${name}'
  functionApp: 'func-${name}-${suffix}'
  plan: 'asp-${name}'
  retrain: 'caj-${name}-retrain'
  drift: 'caj-${name}-drift'
  events: 'evgst-${name}'
  promotion: 'evgs-${name}-promotion'
  reload: 'logic-${name}-reload'
}
var allTags = union({ app: 'pneumonia-functions', instance: name, 'managed-by': 'bicep' }, tags)
var withApps = !empty(serveImage) && !empty(trainImage)
var container = 'store'

module identities 'modules/identities.bicep' = {
  name: 'identities'
  params: {
    name: name
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: names.workspace
    insightsName: names.insights
    actionsName: names.actions
    location: location
    tags: allTags
    emails: alertEmails
    writerId: identities.outputs.servicePrincipalId
  }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  params: {
    name: names.registry
    location: location
    tags: allTags
    pullerIds: [
      identities.outputs.servicePrincipalId
      identities.outputs.retrainPrincipalId
      identities.outputs.driftPrincipalId
    ]
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    storeName: names.store
    hostName: names.host
    container: container
    sku: storeSku
    location: location
    tags: allTags
    keepRecordsDays: keepRecordsDays
    servicePrincipalId: identities.outputs.servicePrincipalId
    retrainPrincipalId: identities.outputs.retrainPrincipalId
    driftPrincipalId: identities.outputs.driftPrincipalId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: names.vault
    location: location
    tags: allTags
    purgeProtection: purgeProtection
    readerId: identities.outputs.servicePrincipalId
  }
}

module managedEnvironment 'modules/environment.bicep' = if (withApps) {
  name: 'environment'
  params: {
    name: names.environment
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module jobs 'modules/jobs.bicep' = if (withApps) {
  name: 'jobs'
  params: {
    retrainName: names.retrain
    driftName: names.drift
    location: location
    tags: allTags
    environmentName: names.environment
    registryServer: registry.outputs.server
    serveImage: serveImage
    trainImage: trainImage
    storeAccount: names.store
    storeUrl: 'az://${container}'
    retrainHours: retrainHours
    retrainEpochs: retrainEpochs
    starterId: identities.outputs.servicePrincipalId
    retrainIdentityId: identities.outputs.retrainId
    retrainClientId: identities.outputs.retrainClientId
    driftIdentityId: identities.outputs.driftId
    driftClientId: identities.outputs.driftClientId
  }
  dependsOn: [
    managedEnvironment
    storage
  ]
}

module settings 'modules/settings.bicep' = {
  name: 'settings'
  params: {
    storeAccount: names.store
    hostAccount: names.host
    storeUrl: 'az://${container}'
    clientId: identities.outputs.serviceClientId
    insightsConnection: monitoring.outputs.insightsConnection
    jobId: resourceId('Microsoft.App/jobs', names.retrain)
    authLevel: authLevel
    interpreters: cpu
    refreshS: refreshS
    recordPredictions: recordPredictions
    extraLabels: extraLabels
  }
}

module onContainerApps 'modules/function-container-apps.bicep' = if (withApps && hosting == 'containerApps') {
  name: 'function-container-apps'
  params: {
    name: names.functionApp
    location: location
    tags: allTags
    environmentName: names.environment
    registryServer: registry.outputs.server
    image: serveImage
    identityId: identities.outputs.serviceId
    settings: settings.outputs.settings
    vaultUrl: vault.outputs.url
    useAdminToken: useAdminToken
    useApiKey: useApiKey
    cpu: cpu
    minInstances: minInstances
    maxInstances: maxInstances
  }
  dependsOn: [
    managedEnvironment
    jobs
    storage
  ]
}

module onPremium 'modules/function-premium.bicep' = if (withApps && hosting == 'premium') {
  name: 'function-premium'
  params: {
    name: names.functionApp
    planName: names.plan
    location: location
    tags: allTags
    image: serveImage
    identityId: identities.outputs.serviceId
    identityClientId: identities.outputs.serviceClientId
    settings: settings.outputs.settings
    vaultUrl: vault.outputs.url
    useAdminToken: useAdminToken
    useApiKey: useApiKey
    minInstances: max(minInstances, 1)
    maxInstances: maxInstances
  }
  dependsOn: [
    jobs
    registry
    storage
  ]
}

module address 'modules/address.bicep' = if (withApps) {
  name: 'address'
  params: {
    environmentName: names.environment
    functionAppName: names.functionApp
    hosting: hosting
  }
  dependsOn: [
    managedEnvironment
  ]
}

module events 'modules/events.bicep' = if (withApps) {
  name: 'events'
  params: {
    topicName: names.events
    subscriptionName: names.promotion
    reloadName: names.reload
    location: location
    tags: allTags
    storeName: names.store
    container: container
    serviceUrl: address!.outputs.url
  }
  dependsOn: [
    storage
  ]
}

module alerts 'modules/alerts.bicep' = if (withApps) {
  name: 'alerts'
  params: {
    name: name
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    actionsId: monitoring.outputs.actionsId
    errorPercent: errorPercent
    p95Ms: p95Ms
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  name: 'budget'
  params: {
    name: 'budget-${name}'
    amount: monthlyBudget
    start: budgetStart
    emails: alertEmails
  }
}

@description('Where the service answers; empty before the images are there.')
output serviceUrl string = withApps ? address!.outputs.url : ''

@description('Where images are pushed: docker push REGISTRY/NAME:TAG, without the scheme.')
output registryUrl string = 'https://${registry.outputs.server}'

@description('The store\'s container.')
output storeUrl string = '${storage.outputs.storeEndpoint}${container}'

@description('The vault that the secrets admin-token and api-key go into.')
output vaultUrl string = vault.outputs.url

@description('Executions of the retraining job.')
output retrainJobUrl string = '${environment().portal}/#resource${resourceId('Microsoft.App/jobs', names.retrain)}/executionHistory'

@description('Requests, failures and log lines.')
output insightsUrl string = '${environment().portal}/#resource${monitoring.outputs.insightsId}/overview'
